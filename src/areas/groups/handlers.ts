import type { ServiceImpl } from "@connectrpc/connect";
import { ConsumerGroupService } from "../../gen/satchel/v1/consumer_groups_pb.ts";
import type { Limits } from "../../kernel/limits.ts";
import { serviceCaller } from "../../kernel/rpc/principal.ts";
import type { Routes } from "../../kernel/rpc/router.ts";
import type { ConsumerGroups } from "./consumer-groups.ts";
import type { ParkedMessages } from "./parked-messages.ts";
import * as requests from "./requests.ts";
import * as shapes from "./responses.ts";
import { parseAcknowledge, parseReject } from "./settlement-requests.ts";

/** Registers satchel.v1.ConsumerGroupService. */
export function consumerGroupRoutes(...dependencies: Parameters<typeof consumerGroupHandlers>): Routes {
  return (router) => void router.service(ConsumerGroupService, consumerGroupHandlers(...dependencies));
}

/** satchel.v1.ConsumerGroupService. */
function consumerGroupHandlers(
  groups: ConsumerGroups,
  parkedMessages: ParkedMessages,
  limits: Limits,
): ServiceImpl<typeof ConsumerGroupService> {
  return {
    async createConsumerGroup(request, context) {
      const { group, start } = requests.parseNewGroup(request, limits);
      const created = await groups.create(serviceCaller(context), group, start, context);
      return { consumerGroup: shapes.consumerGroup(created) };
    },

    async getConsumerGroup(request, context) {
      const id = requests.parseGroupId(request, limits);
      return shapes.groupStatus(await groups.get(serviceCaller(context), id, context));
    },

    async listConsumerGroups(request, context) {
      const list = requests.parseGroupList(request, limits);
      const { items, nextPageToken } = await groups.list(serviceCaller(context), list, context);
      return { consumerGroups: items.map(shapes.consumerGroup), nextPageToken };
    },

    async updateConsumerGroup(request, context) {
      const { id, changes } = requests.parseGroupUpdate(request, limits);
      const group = await groups.update(serviceCaller(context), id, changes, context);
      return { consumerGroup: shapes.consumerGroup(group) };
    },

    async deleteConsumerGroup(request, context) {
      await groups.delete(serviceCaller(context), requests.parseGroupId(request, limits));
      return {};
    },

    async resetConsumerGroup(request, context) {
      const { id, start } = requests.parseReset(request, limits);
      return { position: await groups.reset(serviceCaller(context), id, start, context) };
    },

    async *consume(request, context) {
      const frames = groups.consume(serviceCaller(context), requests.parseConsume(request, limits), context);
      for await (const frame of frames) yield shapes.consumeResponse(frame);
    },

    async acknowledge(request, context) {
      const { id, lease, acknowledgement } = parseAcknowledge(request, limits);
      const { count, checkpoint } = await groups.acknowledge(serviceCaller(context), id, lease, acknowledgement);
      return { acknowledgedCount: BigInt(count), checkpoint };
    },

    async reject(request, context) {
      const { id, lease, rejected } = parseReject(request, limits);
      const { count, parked } = await groups.reject(serviceCaller(context), id, lease, rejected);
      return { rejectedCount: BigInt(count), parkedGlobalPositions: [...parked] };
    },

    async listParkedMessages(request, context) {
      const { id, page } = requests.parseParkedList(request, limits);
      const { items, nextPageToken } = await parkedMessages.list(serviceCaller(context), id, page, context);
      return { parkedMessages: items.map(shapes.parkedMessage), nextPageToken };
    },

    async replayParkedMessages(request, context) {
      const { id, selection } = requests.parseParkedSelection(request, limits);
      return { replayedCount: await parkedMessages.replay(serviceCaller(context), id, selection, context) };
    },

    async deleteParkedMessages(request, context) {
      const { id, selection } = requests.parseParkedSelection(request, limits);
      return { deletedCount: await parkedMessages.delete(serviceCaller(context), id, selection, context) };
    },
  };
}
