import type { CallOptions } from "../../../kernel/call-options.ts";
import { nextTurn } from "../../../kernel/next-turn.ts";
import type { ServicePrincipal } from "../../../kernel/principal.ts";
import type { StreamsContext } from "../context.ts";
import { NO_STREAM } from "../domain/append.ts";
import { categoryOf, type StreamName } from "../domain/stream-name.ts";
import type { RetentionStore } from "../store/retention-store.ts";
import { retentionStore, streamStore } from "../store/stores.ts";

/** At most this many messages are removed while the category is locked. */
export const REMOVAL_BATCH = 1_000;

/** Which messages to remove: those of a stream before a position. */
export interface Truncation {
  readonly streamName: StreamName;
  readonly before: bigint;
}

/** The result of a truncation. */
export interface Truncated {
  readonly removed: bigint;
  /** The position of the first message that is left or, when none is, of the next one. */
  readonly firstPosition: bigint;
}

/** Removes the messages of a stream before a position. */
export async function truncateStream(
  { store: { engine } }: Pick<StreamsContext, "store">,
  { namespaceId }: ServicePrincipal,
  truncation: Truncation,
  options: CallOptions,
): Promise<Truncated> {
  const { streamName } = truncation;
  const retention = retentionStore(engine, namespaceId);
  const removed = await truncateInSteps(retention, truncation, options);
  const left = (await retention.ends([streamName], options)).get(streamName);
  if (left !== undefined) return { removed, firstPosition: left.first };
  const version = await streamStore(engine, namespaceId).head({ kind: "stream", streamName }, options);
  return { removed, firstPosition: (version ?? NO_STREAM) + 1n };
}

/** Truncates step by step, and returns how many messages that has removed. */
export async function truncateInSteps(
  retention: RetentionStore,
  { streamName, before }: Truncation,
  options: CallOptions,
): Promise<bigint> {
  const truncations = new Map([[streamName, before]]);
  let removed = 0n;
  for (;;) {
    const count = await retention.truncate(categoryOf(streamName), truncations, REMOVAL_BATCH, options);
    removed += BigInt(count);
    if (count < REMOVAL_BATCH) return removed;
    await nextTurn(options.signal);
  }
}
