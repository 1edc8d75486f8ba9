import type { StoredMessage } from "./message.ts";
import { PackedMessage } from "./packed-message.ts";

/** The length of data and metadata, in bytes or in characters, whichever is cheaper to find out. Never more than their bytes. */
export function payloadLength(message: Pick<StoredMessage, "data" | "metadata">): number {
  if (message instanceof PackedMessage) return message.payloadBytes;
  return (message.data?.length ?? 0) + (message.metadata?.length ?? 0);
}
