import { create, type MessageInitShape, type MessageShape } from "@bufbuild/protobuf";
import type { ServiceImpl } from "@connectrpc/connect";
import {
  AppendMessagesResponseSchema,
  GetCategoryMessagesResponseSchema,
  GetStreamMessagesResponseSchema,
  type ReadMessagesResponse,
  ReadMessagesResponseSchema,
  type StreamMessageBatch,
  StreamService,
} from "../../gen/satchel/v1/streams_pb.ts";
import type { Limits } from "../../kernel/limits.ts";
import { lazyMessage } from "../../kernel/rpc/encoded-message.ts";
import { passing } from "../../kernel/rpc/map-stream.ts";
import { serviceCaller } from "../../kernel/rpc/principal.ts";
import type { Routes } from "../../kernel/rpc/router.ts";
import type { MessagesFrame, Notice, ReadFrame } from "./domain/read.ts";
import { encodeAppended, encodeMessagePage, encodeMessagesFrame } from "./message-bytes.ts";
import * as requests from "./requests.ts";
import { appendResponse, streamMessage } from "./responses.ts";
import { retentionHandlers } from "./retention/handlers.ts";
import type { Retention } from "./retention/retention.ts";
import type { MessagePage, Streams } from "./streams.ts";

/** Registers satchel.v1.StreamService. */
export function streamRoutes(...dependencies: Parameters<typeof streamHandlers>): Routes {
  return (router) => void router.service(StreamService, streamHandlers(...dependencies));
}

/** satchel.v1.StreamService. */
function streamHandlers(streams: Streams, retention: Retention, limits: Limits): ServiceImpl<typeof StreamService> {
  const responses = new FrameResponses();
  return {
    ...retentionHandlers(retention, limits),

    async appendMessages(request, context) {
      const append = requests.parseAppend(request, limits);
      const messages = await streams.appendMessages(serviceCaller(context), append, context);
      return lazyMessage(AppendMessagesResponseSchema, {
        make: () => appendResponse(messages),
        encode: () => encodeAppended(messages),
      });
    },

    async appendToStreams(request, context) {
      const appends = requests.parseAppends(request, limits);
      const appended = await streams.appendToStreams(serviceCaller(context), appends, context);
      return { appends: appended.map(appendResponse) };
    },

    async getStreamMessages(request, context) {
      const page = await streams.page(serviceCaller(context), requests.parseStreamPage(request, limits), context);
      return pageResponse(GetStreamMessagesResponseSchema, page);
    },

    async getCategoryMessages(request, context) {
      const page = await streams.page(serviceCaller(context), requests.parseCategoryPage(request, limits), context);
      return pageResponse(GetCategoryMessagesResponseSchema, page);
    },

    async getLastStreamMessage(request, context) {
      const { streamName, type } = requests.parseLast(request, limits);
      const message = await streams.last(serviceCaller(context), streamName, type, context);
      return message === undefined ? {} : { message: streamMessage(message) };
    },

    async getStreamVersion(request, context) {
      const version = await streams.version(serviceCaller(context), requests.parseVersion(request, limits), context);
      return version === undefined ? {} : { version };
    },

    readMessages(request, context) {
      const frames = streams.read(serviceCaller(context), requests.parseRead(request, limits), context);
      return passing(frames, { pass: (frame) => responses.of(frame) });
    },

    async listCategories(request, context) {
      const list = requests.parseCategoryList(request, limits);
      const { items, nextPageToken } = await streams.listCategories(serviceCaller(context), list, context);
      return { categories: [...items], nextPageToken };
    },

    async listStreams(request, context) {
      const list = requests.parseStreamList(request, limits);
      const { items, nextPageToken } = await streams.listStreams(serviceCaller(context), list, context);
      return { streams: [...items], nextPageToken };
    },
  };
}

/** A page; where it is sent as bytes, no object is made for a message. */
function pageResponse<S extends typeof GetStreamMessagesResponseSchema | typeof GetCategoryMessagesResponseSchema>(
  schema: S,
  { messages, hasMore }: MessagePage,
): MessageShape<S> {
  const init = () => ({ messages: messages.map(streamMessage), hasMore }) as MessageInitShape<S>;
  return lazyMessage(schema, {
    make: () => create(schema, init()),
    encode: () => encodeMessagePage(messages, hasMore),
  });
}

/** What frames are on the wire; followers who are given the same frame are given the same response, encoded once. */
class FrameResponses {
  readonly #ofMessages = new WeakMap<MessagesFrame, ReadMessagesResponse>();

  of(frame: ReadFrame): MessageInitShape<typeof ReadMessagesResponseSchema> {
    if (frame.kind !== "messages") return noticeResponse(frame);
    let response = this.#ofMessages.get(frame);
    if (response === undefined) {
      response = lazyMessage(ReadMessagesResponseSchema, {
        make: () => messagesResponse(frame),
        encode: () => encodeMessagesFrame(frame),
      });
      this.#ofMessages.set(frame, response);
    }
    return response;
  }
}

function messagesResponse({ messages, cursor }: MessagesFrame): ReadMessagesResponse {
  const value: StreamMessageBatch = {
    $typeName: "satchel.v1.StreamMessageBatch",
    messages: messages.map(streamMessage),
    cursor,
  };
  return { $typeName: "satchel.v1.ReadMessagesResponse", frame: { case: "messages", value } };
}

function noticeResponse({ kind, cursor, position }: Notice): MessageInitShape<typeof ReadMessagesResponseSchema> {
  switch (kind) {
    case "caught-up":
      return { frame: { case: "caughtUp", value: { cursor, position } } };
    case "fell-behind":
      return { frame: { case: "fellBehind", value: { cursor, position } } };
    case "checkpoint":
      return { frame: { case: "checkpoint", value: { cursor, position } } };
    case "heartbeat":
      return { frame: { case: "heartbeat", value: { cursor, position } } };
  }
}
