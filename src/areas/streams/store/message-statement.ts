import { microsOf } from "../../../kernel/store/engines/postgres/row.ts";
import { type ColumnKind, type RowOf, type Statement, statement } from "../../../kernel/store/statement.ts";
import type { StoredMessage } from "../domain/message.ts";
import { inCategory } from "./category-range.ts";

/** SQL about `messages m` that the engines spell differently: columns that they keep in different types, and conditions. */
export interface MessageSql {
  /** The id as text. */
  readonly id: string;
  /** Microseconds since 1970. */
  readonly timeMicros: string;
  readonly data: string;
  readonly metadata: string;
  /** The condition that a message is not before a time in microseconds since 1970. */
  readonly notBefore: (timeMicros: string) => string;
  /** As `inCategory`. */
  readonly inCategory: typeof inCategory;
}

const POSTGRESQL: MessageSql = {
  id: "m.id",
  timeMicros: microsOf("m.time"),
  data: "m.data::text",
  metadata: "m.metadata::text",
  notBefore: (timeMicros) => `m.time >= timestamp 'epoch' + ${timeMicros}::bigint * interval '1 microsecond'`,
  inCategory,
};

const SQLITE: MessageSql = {
  id: uuidText("hex(m.id)"),
  timeMicros: "m.time",
  data: "m.data",
  metadata: "m.metadata",
  notBefore: (timeMicros) => `m.time >= ${timeMicros}`,
  // It compares rows by their first columns only.
  inCategory: (category, least, most) => `m.category = ${category} AND m.global_position BETWEEN ${least} AND ${most}`,
};

/** A statement about messages: one text for both engines, with each engine's spelling in it. */
export function messageStatement<const Shape extends Readonly<Record<string, ColumnKind>>>(
  shape: Shape,
  text: (sql: MessageSql) => string,
): Statement<RowOf<Shape>> {
  return statement(shape, { postgresql: text(POSTGRESQL), sqlite: text(SQLITE) });
}

/** A statement that returns whole messages: `SELECT` of their columns, followed by `rest`. */
export function selectMessages(rest: string): Statement<StoredMessage> {
  return messageStatement(
    {
      id: "text",
      streamName: "text",
      type: "text",
      position: "int64",
      globalPosition: "int64",
      data: "text?",
      metadata: "text?",
      timeMicros: "int64",
    },
    ({ id, data, metadata, timeMicros }) =>
      `SELECT ${id}, m.stream_name, m.type, m.position, m.global_position, ${data}, ${metadata}, ${timeMicros} ${rest}`,
  );
}

/** The text of a UUID whose 16 bytes are given as 32 hexadecimal digits. */
function uuidText(hex: string): string {
  const parts = [
    [1, 8],
    [9, 4],
    [13, 4],
    [17, 4],
    [21, 12],
  ] as const;
  return `lower(${parts.map(([from, length]) => `substr(${hex}, ${from}, ${length})`).join(" || '-' || ")})`;
}
