import type { ServiceImpl } from "@connectrpc/connect";
import { ConsumerGroupService } from "../../gen/satchel/v1/consumer_groups_pb.ts";
import { serviceCaller } from "../../kernel/rpc/principal.ts";
import type { Routes } from "../../kernel/rpc/router.ts";
import type { GroupsContext } from "./context.ts";
import { createConsumerGroup } from "./create.ts";
import { deleteParkedMessages } from "./delete-parked.ts";
import { deleteConsumerGroup } from "./delete.ts";
import type { Consumers } from "./delivery/consumers.ts";
import { getConsumerGroup } from "./get.ts";
import { listParkedMessages } from "./list-parked.ts";
import { listConsumerGroups } from "./list.ts";
import { replayParkedMessages } from "./replay-parked.ts";
import * as requests from "./requests.ts";
import { resetConsumerGroup } from "./reset.ts";
import * as responses from "./responses.ts";
import { parseAcknowledge, parseReject } from "./settlement-requests.ts";
import { updateConsumerGroup } from "./update.ts";

/** Registers satchel.v1.ConsumerGroupService. */
export function consumerGroupRoutes(...dependencies: Parameters<typeof consumerGroupHandlers>): Routes {
  return (router) => void router.service(ConsumerGroupService, consumerGroupHandlers(...dependencies));
}

/** satchel.v1.ConsumerGroupService. */
function consumerGroupHandlers(
  groups: GroupsContext,
  consumers: Pick<Consumers, "consume" | "acknowledge" | "reject">,
): ServiceImpl<typeof ConsumerGroupService> {
  const { limits } = groups;
  return {
    async createConsumerGroup(request, context) {
      const { group, start } = requests.parseNewGroup(request, limits);
      const created = await createConsumerGroup(groups, serviceCaller(context), group, start, context);
      return { consumerGroup: responses.consumerGroup(created) };
    },

    async getConsumerGroup(request, context) {
      const id = requests.parseGroupId(request, limits);
      return responses.groupStatus(await getConsumerGroup(groups, serviceCaller(context), id, context));
    },

    async listConsumerGroups(request, context) {
      const list = requests.parseGroupList(request, limits);
      const { items, nextPageToken } = await listConsumerGroups(groups, serviceCaller(context), list, context);
      return { consumerGroups: items.map(responses.consumerGroup), nextPageToken };
    },

    async updateConsumerGroup(request, context) {
      const { id, changes } = requests.parseGroupUpdate(request, limits);
      const group = await updateConsumerGroup(groups, serviceCaller(context), id, changes, context);
      return { consumerGroup: responses.consumerGroup(group) };
    },

    async deleteConsumerGroup(request, context) {
      await deleteConsumerGroup(groups, serviceCaller(context), requests.parseGroupId(request, limits));
      return {};
    },

    async resetConsumerGroup(request, context) {
      const { id, start } = requests.parseReset(request, limits);
      return { position: await resetConsumerGroup(groups, serviceCaller(context), id, start, context) };
    },

    async *consume(request, context) {
      const { namespaceId } = serviceCaller(context);
      const frames = consumers.consume(namespaceId, requests.parseConsume(request, limits), context);
      for await (const frame of frames) yield responses.consumeResponse(frame);
    },

    async acknowledge(request, context) {
      const { id, lease, acknowledgement } = parseAcknowledge(request, limits);
      const { namespaceId } = serviceCaller(context);
      const { count, checkpoint } = await consumers.acknowledge(namespaceId, id, lease, acknowledgement);
      return { acknowledgedCount: BigInt(count), checkpoint };
    },

    async reject(request, context) {
      const { id, lease, rejected } = parseReject(request, limits);
      const { namespaceId } = serviceCaller(context);
      const { count, parked } = await consumers.reject(namespaceId, id, lease, rejected);
      return { rejectedCount: BigInt(count), parkedGlobalPositions: [...parked] };
    },

    async listParkedMessages(request, context) {
      const { id, page } = requests.parseParkedList(request, limits);
      const { items, nextPageToken } = await listParkedMessages(groups, serviceCaller(context), id, page, context);
      return { parkedMessages: items.map(responses.parkedMessage), nextPageToken };
    },

    async replayParkedMessages(request, context) {
      const { id, selection } = requests.parseParkedSelection(request, limits);
      return { replayedCount: await replayParkedMessages(groups, serviceCaller(context), id, selection, context) };
    },

    async deleteParkedMessages(request, context) {
      const { id, selection } = requests.parseParkedSelection(request, limits);
      return { deletedCount: await deleteParkedMessages(groups, serviceCaller(context), id, selection, context) };
    },
  };
}
