import type { ServiceImpl } from "@connectrpc/connect";
import {
  AppendMessagesResponseSchema,
  GetCategoryMessagesResponseSchema,
  GetStreamMessagesResponseSchema,
  StreamService,
} from "../../gen/satchel/v1/streams_pb.ts";
import { lazyMessage } from "../../kernel/rpc/encoded-message.ts";
import { passing } from "../../kernel/rpc/map-stream.ts";
import { serviceCaller } from "../../kernel/rpc/principal.ts";
import type { Routes } from "../../kernel/rpc/router.ts";
import { appendToStreams } from "./append-to-streams.ts";
import { appendMessages } from "./append.ts";
import type { StreamsContext } from "./context.ts";
import { getLastMessage } from "./get-last.ts";
import { getMessages } from "./get-messages.ts";
import { getVersion } from "./get-version.ts";
import { listCategories } from "./list-categories.ts";
import { listStreams } from "./list-streams.ts";
import { encodeAppended } from "./message-encoding.ts";
import type { MessageReader } from "./read.ts";
import * as requests from "./requests.ts";
import { appendResponse, frameResponses, messagePageResponse, streamMessage } from "./responses.ts";
import { retentionHandlers } from "./retention/handlers.ts";

/** Registers satchel.v1.StreamService. */
export function streamRoutes(...dependencies: Parameters<typeof streamHandlers>): Routes {
  return (router) => void router.service(StreamService, streamHandlers(...dependencies));
}

/** satchel.v1.StreamService. */
function streamHandlers(context: StreamsContext, reader: MessageReader): ServiceImpl<typeof StreamService> {
  const { limits } = context;
  const responseOf = frameResponses();
  return {
    ...retentionHandlers(context),

    async appendMessages(request, call) {
      const append = requests.parseAppend(request, limits);
      const messages = await appendMessages(context, serviceCaller(call), append, call);
      return lazyMessage(AppendMessagesResponseSchema, {
        make: () => appendResponse(messages),
        encode: () => encodeAppended(messages),
      });
    },

    async appendToStreams(request, call) {
      const appends = requests.parseAppends(request, limits);
      const appended = await appendToStreams(context, serviceCaller(call), appends, call);
      return { appends: appended.map(appendResponse) };
    },

    async getStreamMessages(request, call) {
      const page = requests.parseStreamPage(request, limits);
      const found = await getMessages(context, serviceCaller(call), page, call);
      return messagePageResponse(GetStreamMessagesResponseSchema, found);
    },

    async getCategoryMessages(request, call) {
      const page = requests.parseCategoryPage(request, limits);
      const found = await getMessages(context, serviceCaller(call), page, call);
      return messagePageResponse(GetCategoryMessagesResponseSchema, found);
    },

    async getLastStreamMessage(request, call) {
      const message = await getLastMessage(context, serviceCaller(call), requests.parseLast(request, limits), call);
      return message === undefined ? {} : { message: streamMessage(message) };
    },

    async getStreamVersion(request, call) {
      const version = await getVersion(context, serviceCaller(call), requests.parseVersion(request, limits), call);
      return version === undefined ? {} : { version };
    },

    readMessages(request, call) {
      const frames = reader.read(serviceCaller(call), requests.parseRead(request, limits), call);
      return passing(frames, { pass: responseOf });
    },

    async listCategories(request, call) {
      const list = requests.parseCategoryList(request, limits);
      const { items, nextPageToken } = await listCategories(context, serviceCaller(call), list, call);
      return { categories: [...items], nextPageToken };
    },

    async listStreams(request, call) {
      const list = requests.parseStreamList(request, limits);
      const { items, nextPageToken } = await listStreams(context, serviceCaller(call), list, call);
      return { streams: [...items], nextPageToken };
    },
  };
}
