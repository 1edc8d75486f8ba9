import type { SatchelClient, StreamMessage, StreamSummary } from "../../clients/typescript/src/index.ts";
import { CATEGORY } from "./message-of.ts";

/** What a category holds, as reading all of it has shown. */
export interface CategoryReport {
  readonly count: number;
  readonly first: StreamMessage | undefined;
  readonly last: StreamMessage | undefined;
}

/** Reads every message of the category. */
export async function readCategory(client: SatchelClient): Promise<CategoryReport> {
  let count = 0;
  let first: StreamMessage | undefined;
  let last: StreamMessage | undefined;
  for await (const message of client.streams.read({ category: CATEGORY })) {
    count++;
    first ??= message;
    last = message;
  }
  return { count, first, last };
}

/** The streams with the most messages, and how many streams there are; only the longest are kept in memory. */
export async function longestStreams(
  client: SatchelClient,
  count: number,
): Promise<{ readonly streams: number; readonly longest: readonly StreamSummary[] }> {
  let streams = 0;
  let longest: StreamSummary[] = [];
  for await (const summary of client.streams.listStreams({ category: CATEGORY, pageSize: 1_000 })) {
    streams++;
    const shortest = longest[count - 1];
    if (shortest !== undefined && summary.messageCount <= shortest.messageCount) continue;
    longest = [...longest, summary].toSorted((a, b) => Number(b.messageCount - a.messageCount)).slice(0, count);
  }
  return { streams, longest };
}

/** How many messages each member of a consumer group gets, all members reading at once. */
export async function readAsGroup(client: SatchelClient, size: number): Promise<readonly number[]> {
  const members = Array.from({ length: size }, (_, member) => member);
  return Promise.all(
    members.map(async (member) => {
      let count = 0;
      for await (const _ of client.streams.read({ category: CATEGORY, consumerGroup: { member, size } })) count++;
      return count;
    }),
  );
}
