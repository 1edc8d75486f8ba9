import type { NewMessage, SatchelClient } from "../../clients/typescript/src/index.ts";
import { type Commit } from "./git-log.ts";
import { messageOf, streamNameOf } from "./message-of.ts";

/** What a load has done. */
export interface LoadResult {
  /** Commits in the repository. */
  readonly commits: number;
  /** Those of them that were not in the store before. */
  readonly added: number;
  readonly batches: number;
}

/** The server takes this many in one transaction. */
const MAX_BATCH_MESSAGES = 1_000;
const MAX_BATCH_STREAMS = 100;

/** Transactions under way at once: the next is read from git and sent while the server commits the last. */
const MAX_UNDER_WAY = 4;

/** Messages for the streams of their authors, in the order of the log. */
type Batch = ReadonlyMap<string, readonly NewMessage[]>;

interface UnderWay {
  readonly streams: Batch;
  readonly done: Promise<void>;
}

/**
 * Appends every commit to the stream of its author, many streams in one transaction. A transaction waits for those
 * before it that append to one of its streams, so an author's commits stay in order.
 */
export async function load(client: SatchelClient, commits: AsyncIterable<Commit>): Promise<LoadResult> {
  const result = { commits: 0, added: 0, batches: 0 };
  const underWay = new Set<UnderWay>();

  const send = async (batch: Batch): Promise<void> => {
    const appends = [...batch].map(([streamName, messages]) => ({ streamName, messages }));
    const appended = (await client.streams.appendToStreams(appends)).flat();
    result.batches++;
    result.commits += appended.length;
    result.added += appended.filter(({ deduplicated }) => !deduplicated).length;
  };

  try {
    for await (const batch of batches(commits)) {
      while (underWay.size >= MAX_UNDER_WAY) await Promise.race([...underWay].map(({ done }) => done));
      const before = [...underWay].filter(({ streams }) => [...batch.keys()].some((name) => streams.has(name)));
      const done = Promise.all(before.map((entry) => entry.done)).then(() => send(batch));
      const entry: UnderWay = { streams: batch, done: done.finally(() => underWay.delete(entry)) };
      underWay.add(entry);
      // It is awaited below, when the place of the transaction is needed or at the end.
      entry.done.catch(() => {});
    }
  } finally {
    await Promise.all([...underWay].map(({ done }) => done));
  }
  return result;
}

async function* batches(commits: AsyncIterable<Commit>): AsyncGenerator<Batch, void, undefined> {
  let batch = new Map<string, NewMessage[]>();
  let size = 0;
  for await (const commit of commits) {
    const streamName = streamNameOf(commit);
    if (size === MAX_BATCH_MESSAGES || (batch.size === MAX_BATCH_STREAMS && !batch.has(streamName))) {
      yield batch;
      batch = new Map();
      size = 0;
    }
    const messages = batch.get(streamName) ?? [];
    batch.set(streamName, messages);
    messages.push(messageOf(commit));
    size++;
  }
  if (size > 0) yield batch;
}
