import { create } from "@bufbuild/protobuf";
import {
  type ConsumerGroup,
  ConsumerGroupSchema,
  type ConsumeRequest as WireConsumeRequest,
  type CreateConsumerGroupRequest,
  type ListConsumerGroupsRequest,
  type ListParkedMessagesRequest,
  type ReplayParkedMessagesRequest,
  type ResetConsumerGroupRequest,
  type UpdateConsumerGroupRequest,
} from "../../gen/satchel/v1/consumer_groups_pb.ts";
import type { Limits } from "../../kernel/limits.ts";
import type { ListRequest } from "../../kernel/paging.ts";
import * as fields from "../../kernel/rpc/fields.ts";
import { parsed, type Problems } from "../../kernel/rpc/problems.ts";
import * as times from "../../kernel/rpc/times.ts";
import { streamFields } from "../streams/area.ts";
import type { ConsumeRequest, ConsumerGroupId, GroupSettings } from "./domain/consumer-groups.ts";
import { GROUP_DEFAULTS, type GroupStart, type NewGroup } from "./domain/group-settings.ts";
import * as groupFields from "./fields.ts";
import type { GroupsRequest } from "./list.ts";
import { maskedSettings, settings } from "./settings-requests.ts";
import type { ParkedSelection } from "./store/group-store.ts";

const DEFAULT_MAX_IN_FLIGHT = 100;

/** Parses the group's id. */
export function parseGroupId(
  { consumerGroupId }: { readonly consumerGroupId: string },
  limits: Limits,
): ConsumerGroupId {
  return parsed(limits, (problems) => groupId(consumerGroupId, problems));
}

/** Parses CreateConsumerGroupRequest. */
export function parseNewGroup(
  request: CreateConsumerGroupRequest,
  limits: Limits,
): { readonly group: NewGroup; readonly start: GroupStart } {
  return parsed(limits, (problems) => {
    const wire = groupOf(request);
    const group = {
      id: groupFields.consumerGroupId(wire.consumerGroupId, "consumer_group.consumer_group_id", problems),
      category: streamFields.category(wire.category, "consumer_group.category", problems),
      partitions: wire.partitions === 0 ? GROUP_DEFAULTS.partitions : wire.partitions,
      types: streamFields.messageTypes(wire.types, "consumer_group.types", problems),
      ...settings(wire, problems),
    };
    return { group, start: start(request.start, problems) };
  });
}

/** Parses ListConsumerGroupsRequest. */
export function parseGroupList(request: ListConsumerGroupsRequest, limits: Limits): GroupsRequest {
  return parsed(limits, (problems) => ({
    category: streamFields.optionalCategory(request.category, "category", problems),
    ...list(request),
  }));
}

/** Parses UpdateConsumerGroupRequest. */
export function parseGroupUpdate(
  request: UpdateConsumerGroupRequest,
  limits: Limits,
): { readonly id: ConsumerGroupId; readonly changes: Partial<GroupSettings> } {
  return parsed(limits, (problems) => {
    const wire = groupOf(request);
    return {
      id: groupFields.consumerGroupId(wire.consumerGroupId, "consumer_group.consumer_group_id", problems),
      changes: maskedSettings(wire, request.updateMask?.paths ?? [], problems),
    };
  });
}

/** Parses ResetConsumerGroupRequest. */
export function parseReset(
  request: ResetConsumerGroupRequest,
  limits: Limits,
): { readonly id: ConsumerGroupId; readonly start: GroupStart } {
  return parsed(limits, (problems) => ({
    id: groupId(request.consumerGroupId, problems),
    start: start(request.start, problems),
  }));
}

/** Parses ConsumeRequest. */
export function parseConsume(request: WireConsumeRequest, limits: Limits): ConsumeRequest {
  return parsed(limits, (problems) => ({
    groupId: groupId(request.consumerGroupId, problems),
    memberName: fields.wellFormed(request.memberName, "member_name", problems),
    maxInFlight: request.maxInFlight === 0 ? DEFAULT_MAX_IN_FLIGHT : request.maxInFlight,
  }));
}

/** Parses ListParkedMessagesRequest. */
export function parseParkedList(
  request: ListParkedMessagesRequest,
  limits: Limits,
): { readonly id: ConsumerGroupId; readonly page: ListRequest } {
  return parsed(limits, (problems) => ({
    id: groupId(request.consumerGroupId, problems),
    page: list(request),
  }));
}

/** Parses the selection of ReplayParkedMessages and DeleteParkedMessages. */
export function parseParkedSelection(
  request: Pick<ReplayParkedMessagesRequest, "consumerGroupId" | "globalPositions" | "all">,
  limits: Limits,
): { readonly id: ConsumerGroupId; readonly selection: ParkedSelection } {
  const { globalPositions, all } = request;
  return parsed(limits, (problems) => {
    const id = groupId(request.consumerGroupId, problems);
    if (all && globalPositions.length > 0) problems.add("global_positions", "must be empty when all is true");
    if (!all && globalPositions.length === 0) problems.add("global_positions", "must not be empty unless all is true");
    return { id, selection: all ? "all" : globalPositions };
  });
}

function groupId(text: string, problems: Problems): ConsumerGroupId {
  return groupFields.consumerGroupId(text, "consumer_group_id", problems);
}

/** The group. The .proto requires it. */
function groupOf({ consumerGroup }: { readonly consumerGroup?: ConsumerGroup | undefined }): ConsumerGroup {
  return consumerGroup ?? create(ConsumerGroupSchema);
}

function list(request: Pick<ListParkedMessagesRequest, "pageSize" | "pageToken">): ListRequest {
  return { pageSize: fields.pageSize(request.pageSize), pageToken: request.pageToken };
}

function start(wire: CreateConsumerGroupRequest["start"], problems: Problems): GroupStart {
  switch (wire.case) {
    case "position":
      return { kind: "position", position: wire.value };
    case "time":
      return { kind: "time", timeMicros: times.micros(wire.value, "time", problems) };
    case "end":
      return { kind: "end" };
    default:
      return { kind: "beginning" };
  }
}
