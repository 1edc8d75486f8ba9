import type { Row } from "../../../kernel/store/engines/postgres/text-rows.ts";
import { sessionColumns, sessionOf } from "./columns.ts";
import type { SessionRow } from "./session.ts";

/** The columns of a session, for a statement whose rows come as text. */
export const SESSION_COLUMNS_TEXT = sessionColumns((column) => `encode(${column}, 'hex')`);

const FROM_TEXT = {
  text: (value: string) => value,
  integer: Number,
  bigint: BigInt,
  bytes: (value: string) => Buffer.from(value, "hex"),
};

/** The session of a row of `SESSION_COLUMNS_TEXT`. */
export function sessionOfRow(row: Row): SessionRow {
  return sessionOf(row, FROM_TEXT);
}
