import type { BinaryRow } from "../../../kernel/store/engines/postgres/copy-out.ts";
import { LENGTH_BYTES, NUMBER_BYTES, PackedMessage } from "../domain/packed-message.ts";

/** Behind the columns of the message there is one more. */
const SIZE_COLUMN_BYTES = LENGTH_BYTES + NUMBER_BYTES;

/** The message of a row of a page. */
export function packed({ buffer, start, length }: BinaryRow): PackedMessage {
  return new PackedMessage(buffer, start, length - SIZE_COLUMN_BYTES);
}

/** Of how many messages the page of a row is when it is full. */
export function fullPageSize({ buffer, start, length }: BinaryRow): number {
  return Number(buffer.readBigInt64BE(start + length - NUMBER_BYTES));
}
