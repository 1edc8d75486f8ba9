import type { BinaryRow } from "../../../kernel/store/engines/postgres/copy-out.ts";
import { LENGTH_BYTES, NUMBER_BYTES, PackedMessage } from "../domain/packed-message.ts";

/** One more column comes after those of the message. */
const SIZE_COLUMN_BYTES = LENGTH_BYTES + NUMBER_BYTES;

/** The message of a row of a page. */
export function packed({ buffer, start, length }: BinaryRow): PackedMessage {
  return new PackedMessage(buffer, start, length - SIZE_COLUMN_BYTES);
}

/** The number of messages of a full page, from any of its rows. */
export function fullPageSize({ buffer, start, length }: BinaryRow): number {
  return Number(buffer.readBigInt64BE(start + length - NUMBER_BYTES));
}
