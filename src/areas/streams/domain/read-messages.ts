import type { Selector, StoredMessage } from "./message.ts";

/** Where a read begins. */
export type ReadStart =
  | { readonly kind: "beginning" }
  | { readonly kind: "end" }
  | { readonly kind: "position"; readonly position: bigint }
  | { readonly kind: "time"; readonly timeMicros: bigint }
  | { readonly kind: "cursor"; readonly cursor: string };

/** What to read, and from where. */
export interface ReadRequest {
  readonly selector: Selector;
  readonly start: ReadStart;
  readonly follow: boolean;
  readonly types: readonly string[];
  /** Stop after this many messages; unset = at the end. */
  readonly limit: bigint | undefined;
}

/** One step of a read. */
export type ReadFrame = MessagesFrame | Notice;

/** The next messages, at least one. Those who read the same may be given the same object. */
export interface MessagesFrame {
  readonly kind: "messages";
  readonly messages: readonly StoredMessage[];
  readonly cursor: string;
}

/** A step without messages. */
export interface Notice {
  readonly kind: "caught-up" | "fell-behind" | "checkpoint" | "heartbeat";
  readonly cursor: string;
  /** The position to go on from. */
  readonly position: bigint;
}
