import type { MessageInitShape } from "@bufbuild/protobuf";
import type { Duration } from "@bufbuild/protobuf/wkt";
import type { RetentionPolicy as WirePolicy, RetentionPolicySchema } from "../gen/satchel/v1/retention_pb.ts";
import type { CallOptions } from "./options.ts";
import { wireName } from "./wire-values.ts";

/** What a policy is for: one stream, or each stream of a category that has no policy of its own. */
export type RetentionTarget =
  | { readonly streamName: string; readonly category?: never }
  | { readonly category: string; readonly streamName?: never };

/** How much is kept; a message is removed as soon as either asks for it. */
export interface RetentionPolicy {
  /** Messages older than this are removed, in milliseconds, from 1,000 on; unset = age does not matter. */
  readonly maxAgeMs?: number | undefined;
  /** The last so many messages of each stream are kept, from 1 on; unset = all. */
  readonly maxCount?: bigint | number | undefined;
}

/** What a policy would remove now. */
export interface RetentionPreview {
  readonly messageCount: bigint;
  /** Streams that would lose messages. */
  readonly streamCount: bigint;
  /** False when there was too much to look at all of it: the counts are then lower bounds. */
  readonly complete: boolean;
}

/** The policy in force. */
export interface RetentionInForce extends RetentionPolicy {
  /** True for a stream without a policy of its own, when the policy is that of its category. */
  readonly inherited: boolean;
}

/** What a truncation has removed. */
export interface TruncatedStream {
  readonly removedCount: bigint;
  /** The position of the first message that is left or, when none is, of the next one. */
  readonly firstPosition: bigint;
}

/** How to delete a stream. */
export interface DeleteStreamOptions extends CallOptions {
  /** For good: nobody can append to it again. */
  readonly tombstone?: boolean | undefined;
  /** Only at this version, or NO_STREAM. */
  readonly expectedVersion?: bigint | number | undefined;
}

/** What a deletion has removed. */
export interface DeletedStream {
  readonly removedCount: bigint;
  /** The version that an append would go on from; undefined when the stream never had a message. */
  readonly version: bigint | undefined;
}

const MS_PER_SECOND = 1_000;
const NANOS_PER_MS = 1_000_000;

type WireTarget =
  | { readonly case: "streamName"; readonly value: string }
  | { readonly case: "category"; readonly value: string };

/** The target as the request has it. */
export function wireTarget({ streamName, category }: RetentionTarget): { readonly target: WireTarget } {
  return {
    target:
      streamName === undefined
        ? { case: "category", value: wireName(category) }
        : { case: "streamName", value: streamName },
  };
}

/** The policy as the request has it. */
export function wirePolicy({ maxAgeMs, maxCount }: RetentionPolicy): MessageInitShape<typeof RetentionPolicySchema> {
  return {
    ...(maxAgeMs === undefined ? {} : { maxAge: wireDuration(maxAgeMs) }),
    ...(maxCount === undefined ? {} : { maxCount: BigInt(maxCount) }),
  };
}

/** The policy of a response. */
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
