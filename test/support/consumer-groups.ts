import type { ConsumerGroup, ConsumerGroupId } from "../../src/areas/groups/domain/consumer-groups.ts";
import { type Membership, updated } from "../../src/areas/groups/domain/group-membership.ts";
import type { ConsumerGroupStore, PartitionAccounts, PartitionSave } from "../../src/areas/groups/store/group-store.ts";
import { groupStore } from "../../src/areas/groups/store/stores.ts";
import type { Category, StreamName } from "../../src/areas/streams/domain/stream-name.ts";
import { streamStore } from "../../src/areas/streams/store/stores.ts";
import type { StreamStore } from "../../src/areas/streams/store/stream-store.ts";
import type { NamespaceId } from "../../src/kernel/namespace-id.ts";
import { newUuid } from "../../src/kernel/uuid.ts";
import type { TestEngine } from "./engines.ts";
import { storeOn } from "./stores.ts";

export const GROUP_ID = "mailer" as ConsumerGroupId;
export const CATEGORY = "order" as Category;

/** A new namespace for one test. */
export interface GroupPlace {
  readonly id: NamespaceId;
  readonly groups: ConsumerGroupStore;
  readonly streams: StreamStore;
}

/** Makes an empty namespace. */
export async function openPlace({ engine }: TestEngine): Promise<GroupPlace> {
  const id = `groups-${crypto.randomUUID().slice(0, 8)}` as NamespaceId;
  await engine.orm.em.fork().transactional((em) => engine.provisionNamespace(id, em));
  return { id, groups: groupStore(storeOn(engine), id), streams: streamStore(engine, id) };
}

/** A group. */
export function groupOf(fields: Partial<ConsumerGroup> = {}): ConsumerGroup {
  return {
    id: GROUP_ID,
    category: CATEGORY,
    partitions: 4,
    types: [],
    acknowledgeTimeoutMicros: 30_000_000n,
    maxAttempts: 5,
    backoffMicros: [1_000_000n, 2n ** 53n + 1n],
    maxInFlightPerEntity: 1,
    createTime: 1_000n,
    updateTime: 1_000n,
    ...fields,
  };
}

/** What saves these accounts as they are, but for some fields. */
export function saveOf(accounts: PartitionAccounts, fields: Partial<PartitionSave> = {}): PartitionSave {
  const { partition, epoch, revision, readTo, checkpoint, entries } = accounts;
  return { partition, epoch, revision, readTo, checkpoint, entries, park: [], unpark: [], ...fields };
}

/** Appends one message each, in order; returns their global positions. */
export async function appendEach(
  streams: StreamStore,
  streamNames: readonly string[],
  data: string | null = "{}",
): Promise<bigint[]> {
  const requests = streamNames.map((streamName) => ({
    appends: [
      {
        streamName: streamName as StreamName,
        expectation: { kind: "any" } as const,
        messages: [{ id: newUuid(), type: "T", data, metadata: null }],
      },
    ],
  }));
  const outcomes = await streams.append(requests, { lockTimeoutMs: 1_000 });
  return outcomes.map((outcome) => {
    const globalPosition = outcome.kind === "appended" ? outcome.appends[0]?.[0]?.globalPosition : undefined;
    if (globalPosition === undefined) throw new Error(`an append has failed: ${outcome.kind}`);
    return globalPosition;
  });
}

/** How long those who join stay alive. */
export const LEASE_MICROS = 60_000_000n;

/** Some join. */
export function joining(...memberIds: readonly string[]): (membership: Membership) => Membership {
  const alive = memberIds.map((memberId) => ({ memberId, memberName: `${memberId}'s name` }));
  return (membership) => updated(membership, { alive, left: [], released: [], leaseMicros: LEASE_MICROS });
}

/** Some leave. */
export function leaving(...left: readonly string[]): (membership: Membership) => Membership {
  return (membership) => updated(membership, { alive: [], left, released: [], leaseMicros: LEASE_MICROS });
}

/** The accounts of one partition. */
export async function accountsOf({ groups }: GroupPlace, partition: number): Promise<PartitionAccounts> {
  const [accounts] = await groups.accounts(GROUP_ID, [partition], {});
  if (accounts === undefined) throw new Error("there is no such partition");
  return accounts;
}

/** Parks messages. */
export async function park(place: GroupPlace, partition: number, ...positions: readonly bigint[]): Promise<void> {
  const parked = positions.map((position) => ({ position, attempts: 5, reason: `reason ${position}` }));
  const saved = await place.groups.save(GROUP_ID, [saveOf(await accountsOf(place, partition), { park: parked })]);
  if (!saved.has(partition)) throw new Error("the accounts have changed meanwhile");
}

/** Where the first hundred parked messages are. */
export async function parkedPositions({ groups }: GroupPlace): Promise<bigint[]> {
  const parked = await groups.parked(GROUP_ID, { after: 0n, limit: 100 }, {});
  return parked.map(({ position }) => position);
}
