import type { CallOptions } from "../../../kernel/call-options.ts";
import { statement } from "../../../kernel/store/statement.ts";
import { MAX_POSITION, type Selector } from "../domain/message.ts";
import type { StreamName } from "../domain/stream-name.ts";
import { categoryOrder, inCategory } from "./category-range.ts";
import type { RunStatement } from "./run-statement.ts";

/** How far a namespace is. */
export interface Progress {
  /** The last global position that an append has drawn, whether or not it is visible yet. */
  readonly drawn: bigint;
  /** `headOf` the whole namespace; less than `drawn` while an append is under way. */
  readonly safe: bigint;
}

const LAST_POSITION = "(SELECT m.position FROM {messages} m WHERE m.stream_name = $1 ORDER BY m.position DESC LIMIT 1)";

/** The row of a removed stream counts only while the stream has no messages. */
const HEAD_OF_STREAM = statement(
  { position: "int64?" },
  `SELECT coalesce(${LAST_POSITION}, (SELECT s.version FROM {stream_states} s WHERE s.stream_name = $1 AND s.version >= 0))`,
);

/** The version of a stream that was deleted is hidden. */
const VERSION = statement(
  { version: "int64?" },
  `SELECT coalesce(${LAST_POSITION}, (
    SELECT s.version FROM {stream_states} s WHERE s.stream_name = $1 AND s.state = 'truncated'))`,
);

const HEAD_OF_CATEGORY = statement(
  { position: "int64?" },
  {
    // TRUNCATE by a foreign client empties `categories`.
    postgresql: `SELECT greatest(
      (SELECT m.global_position FROM {messages} m
       WHERE ${inCategory("$1", "0", String(MAX_POSITION))} ORDER BY ${categoryOrder(" DESC")} LIMIT 1),
      (SELECT c.last_global_position FROM {categories} c WHERE c.category = $1))`,
    sqlite: "SELECT last_global_position FROM {categories} WHERE category = $1",
  },
);

/** On SQLite, whatever has been drawn is visible: an append is committed before anybody else can look. */
const lastDrawn = (columns: string): string => `SELECT ${columns} FROM sqlite_sequence WHERE name = 'messages'`;

const HEAD_OF_ALL = statement({ position: "int64" }, { postgresql: "SELECT {safe_head}()", sqlite: lastDrawn("seq") });

const PROGRESS = statement(
  { drawn: "int64", safe: "int64" },
  {
    // In this order: a position that is drawn in between counts as under way.
    postgresql: "SELECT coalesce(pg_sequence_last_value('{messages_global_position_seq}'), 0), {safe_head}()",
    sqlite: lastDrawn("seq, seq"),
  },
);

const CHANGED_SINCE = statement(
  { category: "text", last: "int64" },
  {
    postgresql: "SELECT category, max(global_position) FROM {messages} WHERE global_position > $1 GROUP BY category",
    // By global position: SQLite would read the whole index of categories.
    sqlite:
      "SELECT category, max(global_position) FROM {messages} NOT INDEXED WHERE global_position > $1 GROUP BY category",
  },
);

/** The last position of a selector, as StreamStore.head says. */
export async function headOf(run: RunStatement, selector: Selector, options: CallOptions): Promise<bigint | undefined> {
  switch (selector.kind) {
    case "stream":
      return (await run(HEAD_OF_STREAM, [selector.streamName], options))[0]?.position ?? undefined;
    case "category":
      return (await run(HEAD_OF_CATEGORY, [selector.category], options))[0]?.position ?? undefined;
    case "all": {
      const head = await safeHead(run, options);
      return head > 0n ? head : undefined;
    }
  }
}

/** The last position of the whole namespace, 0n when nothing has been written. */
export async function safeHead(run: RunStatement, options: CallOptions): Promise<bigint> {
  return (await run(HEAD_OF_ALL, [], options))[0]?.position ?? 0n;
}

/** The version of a stream, as StreamStore.version says. */
export async function versionOf(
  run: RunStatement,
  streamName: StreamName,
  options: CallOptions,
): Promise<bigint | undefined> {
  return (await run(VERSION, [streamName], options))[0]?.version ?? undefined;
}

/** How far the namespace is. */
export async function progressOf(run: RunStatement, options: CallOptions): Promise<Progress> {
  return (await run(PROGRESS, [], options))[0] ?? { drawn: 0n, safe: 0n };
}

/** The categories with new messages, as StreamStore.changedSince says. */
export async function changedSince(
  run: RunStatement,
  globalPosition: bigint,
  options: CallOptions,
): Promise<ReadonlyMap<string, bigint>> {
  const rows = await run(CHANGED_SINCE, [globalPosition], options);
  return new Map(rows.map(({ category, last }) => [category, last]));
}
