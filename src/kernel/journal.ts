import type { Uuid } from "./uuid.ts";

/** A message about a change of state. */
export interface JournalMessage {
  readonly id: Uuid;
  readonly type: string;
  /** JSON text. */
  readonly data: string | null;
  /** JSON text. */
  readonly metadata: string | null;
}

/** Messages to append to one stream of Satchel's own, whose name begins with a dollar sign. */
export interface JournalEntry {
  readonly streamName: string;
  readonly messages: readonly JournalMessage[];
}
