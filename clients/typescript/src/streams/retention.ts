import type { MessageInitShape } from "@bufbuild/protobuf";
import type { Duration } from "@bufbuild/protobuf/wkt";
import type { CallOptions } from "../core/client-options.ts";
import { wireName } from "../core/wire-conversions.ts";
import type { RetentionPolicy as WirePolicy, RetentionPolicySchema } from "../gen/satchel/v1/retention_pb.ts";

/** Where a policy applies: to one stream, or to the streams of a category that have no policy of their own. */
export type RetentionTarget =
  | { readonly streamName: string; readonly category?: never }
  | { readonly category: string; readonly streamName?: never };

/** How much is kept. A message is removed when either limit is exceeded. */
export interface RetentionPolicy {
  /** Highest age, from 1,000. Unset: no limit. */
  readonly maxAgeMs?: number | undefined;
  /** Highest number of messages in each stream, from 1. Unset: no limit. */
  readonly maxCount?: bigint | number | undefined;
}

/** What a policy would remove now. */
export interface RetentionPreview {
  readonly messageCount: bigint;
  /** Number of streams that would lose messages. */
  readonly streamCount: bigint;
  /** False: there was too much to count, and the counts are lower bounds. */
  readonly complete: boolean;
}

/** The policy in force. */
export interface RetentionInForce extends RetentionPolicy {
  /** True: the stream has no policy of its own, and this is the one of its category. */
  readonly inherited: boolean;
}

/** What a truncation has removed. */
export interface TruncatedStream {
  readonly removedCount: bigint;
  /** Position of the first remaining message; when none remains, of the next one. */
  readonly firstPosition: bigint;
}

/** Options of a deletion. */
export interface DeleteStreamOptions extends CallOptions {
  /** True: permanently; no append can create the stream again. */
  readonly tombstone?: boolean | undefined;
  /** Deletes the stream only if it has this version; NO_STREAM: only if it does not exist. */
  readonly expectedVersion?: bigint | number | undefined;
}

/** What a deletion has removed. */
export interface DeletedStream {
  readonly removedCount: bigint;
  /** The version after which an append continues; undefined: the stream never had a message. */
  readonly version: bigint | undefined;
}

const MS_PER_SECOND = 1_000;
const NANOS_PER_MS = 1_000_000;

type WireTarget =
  | { readonly case: "streamName"; readonly value: string }
  | { readonly case: "category"; readonly value: string };

/** The target as the wire message has it. */
export function wireTarget({ streamName, category }: RetentionTarget): { readonly target: WireTarget } {
  return {
    target:
      streamName === undefined
        ? { case: "category", value: wireName(category) }
        : { case: "streamName", value: streamName },
  };
}

/** The policy as the wire message has it. */
export function wirePolicy({ maxAgeMs, maxCount }: RetentionPolicy): MessageInitShape<typeof RetentionPolicySchema> {
  return {
    ...(maxAgeMs === undefined ? {} : { maxAge: wireDuration(maxAgeMs) }),
    ...(maxCount === undefined ? {} : { maxCount: BigInt(maxCount) }),
  };
}

/** Converts the wire message. */
export function policyOf({ maxAge, maxCount }: Pick<WirePolicy, "maxAge" | "maxCount">): RetentionPolicy {
  return { maxAgeMs: maxAge === undefined ? undefined : milliseconds(maxAge), maxCount };
}

function wireDuration(ms: number): { readonly seconds: bigint; readonly nanos: number } {
  const seconds = Math.floor(ms / MS_PER_SECOND);
  return { seconds: BigInt(seconds), nanos: Math.round((ms - seconds * MS_PER_SECOND) * NANOS_PER_MS) };
}

function milliseconds({ seconds, nanos }: Duration): number {
  return Number(seconds) * MS_PER_SECOND + nanos / NANOS_PER_MS;
}
