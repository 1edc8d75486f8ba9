import { type Uuid, uuidText } from "../../../kernel/uuid.ts";
import type { StoredMessage } from "../domain/message.ts";

/** The columns of a MessageRow. */
export const MESSAGE_COLUMNS =
  "global_position AS globalPosition, position, time, id, stream_name AS streamName, type, bytes, data, metadata";

/** A message as it is read from the file. */
export interface MessageRow {
  readonly globalPosition: bigint;
  readonly position: bigint;
  readonly time: bigint;
  readonly id: Buffer;
  readonly streamName: string;
  readonly type: string;
  readonly bytes: bigint;
  readonly data: string | null;
  readonly metadata: string | null;
}

/** The message of a row. */
export function toStoredMessage(row: MessageRow): StoredMessage {
  return {
    id: uuidText(row.id),
    streamName: row.streamName,
    type: row.type,
    position: row.position,
    globalPosition: row.globalPosition,
    data: row.data,
    metadata: row.metadata,
    timeMicros: row.time,
  };
}

/** The 16 bytes of a message id. */
export function idToBlob(id: Uuid): Buffer {
  return Buffer.from(id.replaceAll("-", ""), "hex");
}
