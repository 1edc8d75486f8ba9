import type {
  AcknowledgeRequest,
  RejectRequest as WireRejectRequest,
} from "../../gen/satchel/v1/consumer_groups_pb.ts";
import type { Limits } from "../../kernel/limits.ts";
import * as fields from "../../kernel/rpc/fields.ts";
import { parsed, type Problems } from "../../kernel/rpc/problems.ts";
import * as times from "../../kernel/rpc/times.ts";
import type {
  Acknowledgement,
  ConsumerGroupId,
  PartitionLease,
  Rejection,
  RejectRequest,
} from "./domain/consumer-groups.ts";
import * as groupFields from "./fields.ts";

/** The partition whose messages are settled. */
interface Settled {
  readonly id: ConsumerGroupId;
  readonly lease: PartitionLease;
}

/** Parses AcknowledgeRequest. */
export function parseAcknowledge(
  request: AcknowledgeRequest,
  limits: Limits,
): Settled & { readonly acknowledgement: Acknowledgement } {
  return parsed(limits, (problems) => ({
    ...settled(request, problems),
    acknowledgement: {
      positions: request.globalPositions,
      upToSequence: request.upToSequence === undefined ? undefined : Number(request.upToSequence),
      inProgress: request.inProgressGlobalPositions,
    },
  }));
}

/** Parses RejectRequest. */
export function parseReject(
  request: WireRejectRequest,
  limits: Limits,
): Settled & { readonly rejected: RejectRequest } {
  return parsed(limits, (problems) => ({
    ...settled(request, problems),
    rejected: {
      positions: request.globalPositions,
      rejection: rejection(request.action, problems),
      reason: fields.wellFormed(request.reason, "reason", problems),
    },
  }));
}

function settled(
  { consumerGroupId, partition, epoch }: Pick<AcknowledgeRequest, "consumerGroupId" | "partition" | "epoch">,
  problems: Problems,
): Settled {
  return {
    id: groupFields.consumerGroupId(consumerGroupId, "consumer_group_id", problems),
    lease: { partition, epoch },
  };
}

function rejection(wire: WireRejectRequest["action"], problems: Problems): Rejection {
  switch (wire.case) {
    case "retry": {
      const { delay } = wire.value;
      if (delay === undefined) return { kind: "retry", delayMicros: undefined };
      const delayMicros = times.duration(delay, "retry.delay", problems);
      return { kind: "retry", delayMicros };
    }
    case "park":
      return { kind: "park" };
    case "skip":
      return { kind: "skip" };
    default:
      // The .proto requires one. Without that check, a message must still not be lost.
      problems.add("action", "is required");
      return { kind: "park" };
  }
}
