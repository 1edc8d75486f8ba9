import type { Selector, StoredMessage } from "./message.ts";

/** Where a read begins. */
export type ReadStart =
  | { readonly kind: "beginning" }
  | { readonly kind: "end" }
  | { readonly kind: "position"; readonly position: bigint }
  | { readonly kind: "time"; readonly timeMicros: bigint }
  | { readonly kind: "cursor"; readonly cursor: string };

/** What to read, from where, and whether to follow. */
export interface ReadRequest {
  readonly selector: Selector;
  readonly start: ReadStart;
  /** Whether the read goes on live after the last message. */
  readonly follow: boolean;
  /** Only these types; empty = all. */
  readonly types: readonly string[];
  /** The read ends after this many messages; undefined = no limit. */
  readonly limit: bigint | undefined;
}

/** One step of a read. */
export type ReadFrame = MessagesFrame | Notice;

/** The next messages, at least one. Followers of the same may be given the same object. */
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
