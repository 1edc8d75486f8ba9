import type { Uuid } from "../../../kernel/uuid.ts";
import { categoryOf, type StreamName } from "./stream-name.ts";

/** What is expected of a stream before an append. A version of -1n means that the stream must not exist. */
export type Expectation =
  | { readonly kind: "any" }
  | { readonly kind: "exists" }
  | { readonly kind: "version"; readonly version: bigint };

/** The version of a stream that does not exist. */
export const NO_STREAM = -1n;

/** A message to append; `data` and `metadata` are checked JSON text, null when there is none. */
export interface NewMessage {
  readonly id: Uuid;
  readonly type: string;
  readonly data: string | null;
  readonly metadata: string | null;
}

/** Messages for one stream, in order; at least one. */
export interface StreamAppend {
  readonly streamName: StreamName;
  readonly expectation: Expectation;
  readonly messages: readonly NewMessage[];
}

/** The appends of one call, all or nothing, to distinct streams. No message id occurs twice. */
export interface AppendRequest {
  readonly appends: readonly StreamAppend[];
}

/** Where a message was stored; `deduplicated` when it was stored before. */
export interface AppendedMessage {
  readonly id: Uuid;
  readonly position: bigint;
  readonly globalPosition: bigint;
  readonly deduplicated: boolean;
}

/** A stream that is not as expected; `actual` is NO_STREAM when it does not exist. */
export interface VersionConflict {
  readonly streamName: StreamName;
  readonly expected: Expectation;
  readonly actual: bigint;
}

/** The outcome of an AppendRequest; only `appended` has changed anything. */
export type AppendOutcome =
  | {
      readonly kind: "appended";
      /** One list per append, in order. */ readonly appends: readonly (readonly AppendedMessage[])[];
    }
  | { readonly kind: "conflict"; readonly conflicts: readonly VersionConflict[] }
  /** These streams were deleted for good. */
  | { readonly kind: "stream-deleted"; readonly streamNames: readonly StreamName[] }
  /** The id of this message is taken by one with other content or in another stream. */
  | { readonly kind: "id-exists"; readonly appendIndex: number; readonly messageIndex: number };

/** The categories that a request appends to. */
export function categoriesOf({ appends }: AppendRequest): Set<string> {
  return new Set(appends.map(({ streamName }) => categoryOf(streamName)));
}

/** Whether a stream at version `actual` is as expected. */
export function meetsExpectation(expectation: Expectation, actual: bigint): boolean {
  switch (expectation.kind) {
    case "any":
      return true;
    case "exists":
      return actual !== NO_STREAM;
    case "version":
      return actual === expectation.version;
  }
}
