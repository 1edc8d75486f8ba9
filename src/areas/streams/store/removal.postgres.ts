import { bigintOf } from "../../../kernel/store/engines/postgres/row.ts";
import type { Row } from "../../../kernel/store/engines/postgres/text-rows.ts";
import type { DeletionOutcome, StreamDeletion, Truncations } from "../domain/retention.ts";

/** Runs one statement, whose text is made for the namespace's schema. */
type Query = (text: (schema: string) => string, values: readonly unknown[]) => Promise<readonly Row[]>;

/** Truncates streams of one category, as StreamEngine.truncate says. */
export async function truncateStreams(
  query: Query,
  category: string,
  truncations: Truncations,
  limit: number,
): Promise<number> {
  const values = [category, [...truncations.keys()], [...truncations.values()], limit];
  const [row] = await query((schema) => `SELECT ${schema}.truncate_streams($1, $2, $3, $4)`, values);
  return Number(row?.[0]);
}

/** Deletes a stream, as StreamEngine.deleteStream says. */
export async function deleteStream(
  query: Query,
  { streamName, tombstone, expectedVersion, maxMessages }: StreamDeletion,
): Promise<DeletionOutcome> {
  const values = [streamName, tombstone, expectedVersion ?? null, maxMessages];
  const text = (schema: string): string => `SELECT kind, removed, version FROM ${schema}.delete_stream($1, $2, $3, $4)`;
  const [[kind, removed, version] = []] = await query(text, values);
  if (kind === "d") return { kind: "deleted", removed: bigintOf(removed), version: bigintOf(version) };
  if (kind === "c") return { kind: "conflict", actual: bigintOf(version) };
  return { kind: "too-long", messageCount: bigintOf(removed), version: bigintOf(version) };
}
