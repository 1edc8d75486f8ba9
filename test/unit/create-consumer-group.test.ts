import { describe, expect, test } from "vitest";
import type { GroupSource } from "../../src/areas/groups/context.ts";
import { createConsumerGroup } from "../../src/areas/groups/create.ts";
import type { ConsumerGroup, ConsumerGroupId } from "../../src/areas/groups/domain/consumer-groups.ts";
import { GROUP_DEFAULTS, type NewGroup } from "../../src/areas/groups/domain/group-settings.ts";
import type { ConsumerGroupStore } from "../../src/areas/groups/store/group-store.ts";
import type { Category } from "../../src/areas/streams/domain/stream-name.ts";
import { DEFAULT_LIMITS } from "../../src/config/limits.ts";
import { systemClock } from "../../src/kernel/clock.ts";
import type { SatchelError } from "../../src/kernel/errors.ts";
import type { NamespaceId } from "../../src/kernel/namespace-id.ts";
import type { ServicePrincipal } from "../../src/kernel/principal.ts";

const CALLER: ServicePrincipal = { kind: "service", namespaceId: "n" as NamespaceId, role: "admin", tokenId: "t" };
const BEGINNING = { kind: "beginning" } as const;

function newGroup(id: string): NewGroup {
  return { id: id as ConsumerGroupId, category: "a" as Category, types: [], ...GROUP_DEFAULTS };
}

/** The use cases over a store that keeps groups in a map, and lets `before` do something before it creates one. */
function consumerGroups(maxConsumerGroups: number, before: (groups: Map<string, ConsumerGroup>) => void = () => {}) {
  const groups = new Map<string, ConsumerGroup>();
  const store: Partial<ConsumerGroupStore> = {
    get: async (id) => groups.get(id),
    count: async () => groups.size,
    create: async (group) => {
      before(groups);
      if (groups.has(group.id)) return false;
      groups.set(group.id, group);
      return true;
    },
  };
  const source: Partial<GroupSource> = {
    consumerGroups: () => store as ConsumerGroupStore,
    streams: () => ({}) as ReturnType<GroupSource["streams"]>,
  };
  const limits = { ...DEFAULT_LIMITS, maxConsumerGroups };
  const consumers = { changed: () => {} };
  const context = { source: source as GroupSource, consumers, limits, clock: systemClock() };
  return { groups, create: (group: NewGroup) => createConsumerGroup(context, CALLER, group, BEGINNING, {}) };
}

describe("the limit of consumer groups", () => {
  test("is reached by the last one, and refuses the next by its name", async () => {
    const { create } = consumerGroups(2);
    await create(newGroup("a"));
    await create(newGroup("b"));
    const error = await create(newGroup("c")).catch((error: unknown) => error as SatchelError);
    expect(error).toMatchObject({
      reason: "LIMIT_EXCEEDED",
      facts: [
        {
          metadata: {
            limit: "max_consumer_groups",
            maximum: "2",
            actual: "3",
            field: "consumer_group.consumer_group_id",
          },
        },
      ],
    });
  });

  test("lets a creation be repeated when it is reached", async () => {
    const { create } = consumerGroups(1);
    const created = await create(newGroup("a"));
    expect(await create(newGroup("a"))).toEqual(created);
  });
});

describe("a group that somebody else creates meanwhile", () => {
  test("is answered when it is the same", async () => {
    const theirs = { ...newGroup("a"), createTime: 1n, updateTime: 2n };
    const { create } = consumerGroups(10, (groups) => groups.set("a", theirs));
    expect(await create(newGroup("a"))).toEqual(theirs);
  });

  test("is GROUP_EXISTS when it is another", async () => {
    const theirs = { ...newGroup("a"), partitions: 7, createTime: 1n, updateTime: 2n };
    const { create } = consumerGroups(10, (groups) => groups.set("a", theirs));
    await expect(create(newGroup("a"))).rejects.toMatchObject({ reason: "GROUP_EXISTS" });
  });
});
