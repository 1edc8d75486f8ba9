import type { CallOptions } from "../../../kernel/call-options.ts";
import { nextTurn } from "../../../kernel/next-turn.ts";
import type { ServicePrincipal } from "../../../kernel/principal.ts";
import type { StreamsContext } from "../context.ts";
import type { RetentionPolicy } from "../domain/retention.ts";
import { type Category, isCategory, type StreamName } from "../domain/stream-name.ts";
import type { RetentionStore, StreamEnds } from "../store/retention-store.ts";
import { retentionStore, streamStore } from "../store/stores.ts";
import type { StreamStore } from "../store/stream-store.ts";
import type { PolicyChange } from "./set-retention.ts";

/** What a policy would remove. */
export interface RetentionPreview {
  readonly messageCount: bigint;
  readonly streamCount: bigint;
  /** False when there were too many messages or streams to look at all of them. */
  readonly complete: boolean;
}

/** What a preview reads. */
interface PreviewContext {
  readonly streams: Pick<StreamStore, "firstAt" | "streams">;
  readonly retention: Pick<RetentionStore, "ends" | "places" | "policiesOf">;
  readonly nowMicros: bigint;
  readonly options: CallOptions;
}

const MAX_STREAMS = 10_000;
const MAX_MESSAGES = 100_000;
const PAGE = 1_000;

/** Finds out what a policy would remove now, with bounded work: the dry run of SetRetention. */
export async function previewRetention(
  { store: { engine }, clock }: Pick<StreamsContext, "store" | "clock">,
  { namespaceId }: ServicePrincipal,
  { target, policy }: PolicyChange,
  options: CallOptions,
): Promise<RetentionPreview> {
  if (policy === undefined) return { messageCount: 0n, streamCount: 0n, complete: true };
  const [streams, retention] = [streamStore(engine, namespaceId), retentionStore(engine, namespaceId)];
  const context: PreviewContext = { streams, retention, nowMicros: clock(), options };
  const found = isCategory(target)
    ? await ofCategory(context, target as Category, policy)
    : { removals: [await ofStream(context, target as StreamName, policy)], complete: true };
  const removals = found.removals.filter((count) => count > 0n);
  return {
    messageCount: removals.reduce((sum, count) => sum + count, 0n),
    streamCount: BigInt(removals.length),
    complete: found.complete,
  };
}

async function ofStream(
  { streams, retention, nowMicros, options }: PreviewContext,
  streamName: StreamName,
  { maxAgeMicros, maxCount }: RetentionPolicy,
): Promise<bigint> {
  const ends = (await retention.ends([streamName], options)).get(streamName);
  if (ends === undefined) return 0n;
  const excess = maxCount === undefined ? 0n : countOf(ends) - maxCount;
  if (maxAgeMicros === undefined) return excess;
  const kept = await streams.firstAt({ kind: "stream", streamName }, nowMicros - maxAgeMicros, options);
  return greater(excess, (kept ?? ends.last + 1n) - ends.first);
}

interface Removals {
  /** Of each stream. */
  readonly removals: readonly bigint[];
  readonly complete: boolean;
}

async function ofCategory(context: PreviewContext, category: Category, policy: RetentionPolicy): Promise<Removals> {
  const old = await oldMessages(context, category, policy);
  const excess = await excessMessages(context, category, policy);
  const removals = new Map(excess.counts);
  for (const [name, count] of old.counts) removals.set(name, greater(count, removals.get(name) ?? 0n));
  return { removals: [...removals.values()], complete: old.complete && excess.complete };
}

interface Counts {
  readonly counts: ReadonlyMap<StreamName, bigint>;
  readonly complete: boolean;
}

/** How many messages of each stream are too old. */
async function oldMessages(
  context: PreviewContext,
  category: Category,
  { maxAgeMicros }: RetentionPolicy,
): Promise<Counts> {
  const counts = new Map<StreamName, bigint>();
  if (maxAgeMicros === undefined) return { counts, complete: true };
  const { retention, nowMicros, options } = context;
  let after = 0n;
  for (let looked = 0; looked < MAX_MESSAGES; looked += PAGE) {
    const places = await retention.places({ of: { category }, after, limit: PAGE }, options);
    const young = places.findIndex(({ timeMicros }) => timeMicros >= nowMicros - maxAgeMicros);
    const old = young === -1 ? places : places.slice(0, young);
    const own = await withOwnPolicy(context, [...new Set(old.map(({ streamName }) => streamName))]);
    for (const { streamName } of old) {
      if (!own.has(streamName)) counts.set(streamName, (counts.get(streamName) ?? 0n) + 1n);
    }
    if (old.length < PAGE) return { counts, complete: true };
    after = old.at(-1)!.globalPosition;
    await nextTurn(options.signal);
  }
  return { counts, complete: false };
}

/** How many messages each stream has too many. */
async function excessMessages(
  context: PreviewContext,
  category: Category,
  { maxCount }: RetentionPolicy,
): Promise<Counts> {
  const counts = new Map<StreamName, bigint>();
  if (maxCount === undefined) return { counts, complete: true };
  const { streams, options } = context;
  let after: string | undefined;
  for (let looked = 0; looked < MAX_STREAMS; looked += PAGE) {
    const page = await streams.streams({ prefix: "", category, after, limit: PAGE }, options);
    const long = page.filter(({ messageCount }) => messageCount > maxCount);
    const own = await withOwnPolicy(
      context,
      long.map(({ streamName }) => streamName as StreamName),
    );
    for (const { streamName, messageCount } of long) {
      if (!own.has(streamName)) counts.set(streamName as StreamName, messageCount - maxCount);
    }
    if (page.length < PAGE) return { counts, complete: true };
    after = page.at(-1)?.streamName;
    await nextTurn(options.signal);
  }
  return { counts, complete: false };
}

async function withOwnPolicy(
  { retention, options }: PreviewContext,
  streamNames: readonly StreamName[],
): Promise<ReadonlySet<string>> {
  if (streamNames.length === 0) return new Set();
  return new Set((await retention.policiesOf(streamNames, options)).map(({ target }) => target));
}

function countOf({ first, last }: StreamEnds): bigint {
  return last - first + 1n;
}

function greater(a: bigint, b: bigint): bigint {
  return a > b ? a : b;
}
