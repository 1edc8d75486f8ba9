import { nextTurn } from "../../../kernel/next-turn.ts";
import type { RetentionPolicy, Truncations } from "../domain/retention.ts";
import { type Category, categoryOf, isCategory, type StreamName } from "../domain/stream-name.ts";
import type { MessagePlace, RetentionStore, StoredPolicy } from "../store/retention-store.ts";

/** What a sweep of a namespace works with. */
export interface SweepContext {
  readonly retention: RetentionStore;
  /** The time of the sweep. */
  readonly nowMicros: bigint;
  /** How many messages are looked at, and removed, in one step. */
  readonly batch: number;
  readonly signal: AbortSignal;
  /** Called after every step with the number of messages it has removed; the next step waits for it. */
  readonly stepped: (removed: number) => Promise<void>;
}

/**
 * Removes from one namespace the messages that its policies do not keep; returns whether it has any policy. A policy records
 * how far its category has been looked at, so a sweep looks only at messages that were appended, or have grown too old,
 * since the last one. Two sweeps of a namespace at once do no harm: no step depends on what another one has left.
 */
export async function sweepNamespace(context: SweepContext): Promise<boolean> {
  const { retention, batch, signal } = context;
  let after = "";
  for (;;) {
    const policies = await retention.policies(after, batch, { signal });
    for (const policy of policies) {
      await nextTurn(signal);
      if (isCategory(policy.target)) await sweepCategory(context, policy);
      else await sweepStream(context, policy.target as StreamName, policy);
    }
    if (policies.length < batch) return after !== "" || policies.length > 0;
    after = policies.at(-1)!.target;
  }
}

async function sweepStream(context: SweepContext, streamName: StreamName, policy: RetentionPolicy): Promise<void> {
  for (;;) {
    const before = await firstToKeep(context, streamName, policy);
    if (before === undefined) return;
    await truncate(context, categoryOf(streamName), new Map([[streamName, before]]));
  }
}

/** The first position to keep, judged by one batch of messages; undefined when none is to be removed. */
async function firstToKeep(
  context: SweepContext,
  streamName: StreamName,
  { maxAgeMicros, maxCount }: RetentionPolicy,
): Promise<bigint | undefined> {
  const { retention, batch, signal } = context;
  const ends = (await retention.ends([streamName], { signal })).get(streamName);
  if (ends === undefined) return undefined;
  let keep = maxCount === undefined ? ends.first : ends.last - maxCount + 1n;
  if (maxAgeMicros !== undefined) {
    const query = { of: { streamName }, after: ends.first - 1n, limit: batch };
    const old = leadingOld(context, maxAgeMicros, await retention.places(query, { signal })).at(-1);
    if (old !== undefined && old.position >= keep) keep = old.position + 1n;
  }
  return keep > ends.first ? keep : undefined;
}

async function sweepCategory(context: SweepContext, policy: StoredPolicy): Promise<void> {
  const aged = policy.maxAgeMicros === undefined ? policy : await sweepAge(context, policy, policy.maxAgeMicros);
  if (aged !== undefined && policy.maxCount !== undefined) await sweepCount(context, aged, policy.maxCount);
}

/** Times ascend with global positions, so the messages that are too old come first. Returns undefined when the policy changed. */
async function sweepAge(
  context: SweepContext,
  start: StoredPolicy,
  maxAgeMicros: bigint,
): Promise<StoredPolicy | undefined> {
  const { retention, batch, signal } = context;
  const category = start.target as Category;
  for (let policy = start; ;) {
    const places = await retention.places({ of: { category }, after: policy.agedTo, limit: batch }, { signal });
    const old = leadingOld(context, maxAgeMicros, places);
    const last = old.at(-1);
    if (last === undefined) return policy;
    const truncations = new Map(old.map(({ streamName, position }) => [streamName, position + 1n]));
    await truncate(context, category, await withoutOwnPolicy(context, truncations));
    policy = { ...policy, agedTo: last.globalPosition };
    if (!(await retention.advance(policy, { signal }))) return undefined;
    if (old.length < batch) return policy;
    await nextTurn(signal);
  }
}

/** Looks at the streams that were appended to since the last sweep: only these can have got too long. */
async function sweepCount(context: SweepContext, start: StoredPolicy, maxCount: bigint): Promise<void> {
  const { retention, batch, signal } = context;
  const category = start.target as Category;
  for (let policy = start; ;) {
    const places = await retention.places({ of: { category }, after: policy.countedTo, limit: batch }, { signal });
    const last = places.at(-1);
    if (last === undefined) return;
    const ends = await retention.ends([...new Set(places.map(({ streamName }) => streamName))], { signal });
    const long = [...ends].filter(([, stream]) => stream.last - stream.first + 1n > maxCount);
    const truncations = new Map(long.map(([name, stream]) => [name as StreamName, stream.last - maxCount + 1n]));
    await truncate(context, category, await withoutOwnPolicy(context, truncations));
    policy = { ...policy, countedTo: last.globalPosition };
    if (!(await retention.advance(policy, { signal })) || places.length < batch) return;
    await nextTurn(signal);
  }
}

async function truncate(
  { retention, batch, signal, stepped }: SweepContext,
  category: string,
  truncations: Truncations,
): Promise<void> {
  let removed = truncations.size === 0 ? 0 : batch;
  while (removed === batch) {
    removed = await retention.truncate(category, truncations, batch, { signal });
    await stepped(removed);
  }
}

function leadingOld(
  { nowMicros }: SweepContext,
  maxAgeMicros: bigint,
  places: readonly MessagePlace[],
): readonly MessagePlace[] {
  const young = places.findIndex(({ timeMicros }) => timeMicros >= nowMicros - maxAgeMicros);
  return young === -1 ? places : places.slice(0, young);
}

async function withoutOwnPolicy({ retention, signal }: SweepContext, truncations: Truncations): Promise<Truncations> {
  if (truncations.size === 0) return truncations;
  const policies = await retention.policiesOf([...truncations.keys()], { signal });
  const own = new Set<string>(policies.map(({ target }) => target));
  return new Map([...truncations].filter(([streamName]) => !own.has(streamName)));
}
