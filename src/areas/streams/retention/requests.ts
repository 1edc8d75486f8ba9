import type {
  DeleteStreamRequest,
  GetRetentionRequest,
  RetentionPolicy as WirePolicy,
  SetRetentionRequest,
  TruncateStreamRequest,
} from "../../../gen/satchel/v1/retention_pb.ts";
import type { Limits } from "../../../kernel/limits.ts";
import { parsed, type Problems } from "../../../kernel/rpc/problems.ts";
import * as times from "../../../kernel/rpc/times.ts";
import type { RetentionPolicy, RetentionTarget, StreamDeletion } from "../domain/retention.ts";
import * as streamFields from "../fields.ts";
import type { PolicyChange } from "./set-retention.ts";
import type { Truncation } from "./truncate.ts";

/** Parses the request of TruncateStream. Throws FIELD_INVALID and the like. */
export function parseTruncation(request: TruncateStreamRequest, limits: Limits): Truncation {
  return parsed(limits, (problems) => ({
    streamName: streamFields.writableStreamName(request.streamName, "stream_name", problems),
    before: request.beforePosition,
  }));
}

/** Parses the request of DeleteStream. Throws FIELD_INVALID and the like. */
export function parseDeletion(request: DeleteStreamRequest, limits: Limits): Omit<StreamDeletion, "maxMessages"> {
  return parsed(limits, (problems) => ({
    streamName: streamFields.writableStreamName(request.streamName, "stream_name", problems),
    tombstone: request.tombstone,
    expectedVersion: request.expectedVersion,
  }));
}

/** Parses the request of SetRetention. Throws FIELD_INVALID and the like. */
export function parseSetRetention(request: SetRetentionRequest, limits: Limits): PolicyChange {
  return parsed(limits, (problems) => ({
    target: target(request.target, streamFields.writableStreamName, problems),
    policy: policy(request.policy, problems),
  }));
}

/** Parses the request of GetRetention. Throws FIELD_INVALID and the like. */
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
  const { maxAge, maxCount } = wire;
  return {
    maxAgeMicros: maxAge === undefined ? undefined : times.duration(maxAge, "policy.max_age", problems),
    maxCount,
  };
}
