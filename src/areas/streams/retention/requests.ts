import type { Duration } from "@bufbuild/protobuf/wkt";
import type {
  DeleteStreamRequest,
  GetRetentionRequest,
  RetentionPolicy as WirePolicy,
  SetRetentionRequest,
  TruncateStreamRequest,
} from "../../../gen/satchel/v1/retention_pb.ts";
import type { Limits } from "../../../kernel/limits.ts";
import { parsed, type Problems } from "../../../kernel/rpc/problems.ts";
import type { RetentionPolicy, RetentionTarget, StreamDeletion } from "../domain/retention.ts";
import * as streamFields from "../fields.ts";
import type { PolicyChange } from "./set-retention.ts";
import type { Truncation } from "./truncate.ts";

const MICROS_PER_SECOND = 1_000_000n;
const NANOS_PER_MICRO = 1_000;
/** The range of google.protobuf.Duration ends at 10,000 years. */
const MAX_AGE_SECONDS = 315_576_000_000n;

/** What TruncateStream asks for. */
export function parseTruncation(request: TruncateStreamRequest, limits: Limits): Truncation {
  return parsed(limits, (problems) => ({
    streamName: streamFields.writableStreamName(request.streamName, "stream_name", problems),
    before: request.beforePosition,
  }));
}

/** What DeleteStream asks for. */
export function parseDeletion(request: DeleteStreamRequest, limits: Limits): Omit<StreamDeletion, "maxMessages"> {
  return parsed(limits, (problems) => ({
    streamName: streamFields.writableStreamName(request.streamName, "stream_name", problems),
    tombstone: request.tombstone,
    expectedVersion: request.expectedVersion,
  }));
}

/** What SetRetention asks for. */
export function parseSetRetention(request: SetRetentionRequest, limits: Limits): PolicyChange {
  return parsed(limits, (problems) => ({
    target: target(request.target, streamFields.writableStreamName, problems),
    policy: policy(request.policy, problems),
  }));
}

/** What GetRetention asks for. */
export function parseGetRetention(request: GetRetentionRequest, limits: Limits): RetentionTarget {
  return parsed(limits, (problems) => target(request.target, streamFields.streamName, problems));
}

function target(
  wire: SetRetentionRequest["target"],
  streamName: typeof streamFields.streamName,
  problems: Problems,
): RetentionTarget {
  if (wire.case === "category") return streamFields.category(wire.value, "category", problems);
  return streamName(wire.value ?? "", "stream_name", problems);
}

function policy(wire: WirePolicy | undefined, problems: Problems): RetentionPolicy | undefined {
  if (wire?.maxAge === undefined && wire?.maxCount === undefined) return undefined;
  return { maxAgeMicros: maxAge(wire.maxAge, problems), maxCount: wire.maxCount };
}

function maxAge(duration: Duration | undefined, problems: Problems): bigint | undefined {
  if (duration === undefined) return undefined;
  const { seconds, nanos } = duration;
  const outside = seconds < 1n || seconds > MAX_AGE_SECONDS || nanos < 0 || nanos > 999_999_999;
  if (outside) problems.add("policy.max_age", "must be at least one second and at most 10,000 years");
  return seconds * MICROS_PER_SECOND + BigInt(Math.ceil(nanos / NANOS_PER_MICRO));
}
