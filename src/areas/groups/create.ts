import type { CallOptions } from "../../kernel/call-options.ts";
import { limitExceeded, SatchelError } from "../../kernel/errors.ts";
import { type Limits, wireName } from "../../kernel/limits.ts";
import type { ServicePrincipal } from "../../kernel/principal.ts";
import type { GroupsContext } from "./context.ts";
import type { ConsumerGroup } from "./domain/consumer-groups.ts";
import { type GroupStart, type NewGroup, sameGroup } from "./domain/group-settings.ts";
import { positionBefore } from "./position-before.ts";
import type { ConsumerGroupStore } from "./store/group-store.ts";

/** Creates a group, or returns the one of the same id and settings. Throws GROUP_EXISTS, LIMIT_EXCEEDED. */
export async function createConsumerGroup(
  { source, limits, clock }: GroupsContext,
  { namespaceId }: ServicePrincipal,
  group: NewGroup,
  start: GroupStart,
  options: CallOptions,
): Promise<ConsumerGroup> {
  const store = source.consumerGroups(namespaceId);
  for (;;) {
    const existing = await store.get(group.id, options);
    if (existing !== undefined) return sameOrExists(existing, group);
    await refuseTooMany(store, limits);
    const readTo = await positionBefore(source.streams(namespaceId), group.category, start, options);
    const now = clock();
    const created = { ...group, createTime: now, updateTime: now };
    if (await store.create(created, readTo)) return created;
    // Another call was faster: the group exists now, unless it has been deleted again.
  }
}

async function refuseTooMany(store: ConsumerGroupStore, { maxConsumerGroups }: Limits): Promise<void> {
  const count = (await store.count()) + 1;
  if (count > maxConsumerGroups) {
    const field = "consumer_group.consumer_group_id";
    throw limitExceeded(wireName("maxConsumerGroups"), maxConsumerGroups, count, field);
  }
}

function sameOrExists(existing: ConsumerGroup, wanted: NewGroup): ConsumerGroup {
  if (sameGroup(existing, wanted)) return existing;
  throw new SatchelError("GROUP_EXISTS", `a consumer group ${wanted.id} exists with other settings`);
}
