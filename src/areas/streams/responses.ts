import { create, type MessageInitShape, type MessageShape } from "@bufbuild/protobuf";
import {
  type AppendMessagesResponse,
  type GetCategoryMessagesResponseSchema,
  type GetStreamMessagesResponseSchema,
  type ReadMessagesResponse,
  ReadMessagesResponseSchema,
  type StreamMessage,
  type StreamMessageBatch,
} from "../../gen/satchel/v1/streams_pb.ts";
import { lazyMessage } from "../../kernel/rpc/encoded-message.ts";
import { timestamp } from "../../kernel/rpc/times.ts";
import type { AppendedMessage } from "./domain/append.ts";
import type { StoredMessage } from "./domain/message.ts";
import type { MessagesFrame, Notice, ReadFrame } from "./domain/read-messages.ts";
import type { MessagePage } from "./get-messages.ts";
import { encodeMessagePage, encodeMessagesFrame } from "./message-encoding.ts";

// Responses on hot paths are built as whole messages, with their $typeName: protobuf-es then need not look at them again.

/** A message of a stream. */
export function streamMessage(message: StoredMessage): StreamMessage {
  return {
    $typeName: "satchel.v1.StreamMessage",
    id: message.id,
    streamName: message.streamName,
    type: message.type,
    position: message.position,
    globalPosition: message.globalPosition,
    data: message.data ?? undefined,
    metadata: message.metadata ?? undefined,
    time: timestamp(message.timeMicros),
  };
}

/** The response to an append to one stream. */
export function appendResponse(messages: readonly AppendedMessage[]): AppendMessagesResponse {
  return {
    $typeName: "satchel.v1.AppendMessagesResponse",
    messages: messages.map(({ id, position, globalPosition, deduplicated }) => ({
      $typeName: "satchel.v1.AppendedMessage",
      id,
      position,
      globalPosition,
      deduplicated,
    })),
  };
}

/** A page of messages. Where it is sent as bytes, no object is made for a message. */
export function messagePageResponse<
  S extends typeof GetStreamMessagesResponseSchema | typeof GetCategoryMessagesResponseSchema,
>(schema: S, { messages, hasMore }: MessagePage): MessageShape<S> {
  const init = () => ({ messages: messages.map(streamMessage), hasMore }) as MessageInitShape<S>;
  return lazyMessage(schema, {
    make: () => create(schema, init()),
    encode: () => encodeMessagePage(messages, hasMore),
  });
}

/**
 * Makes the responses to the frames of reads. Followers that are given the same frame are given the same response, which is
 * encoded once.
 */
export function frameResponses(): (frame: ReadFrame) => MessageInitShape<typeof ReadMessagesResponseSchema> {
  const responses = new WeakMap<MessagesFrame, ReadMessagesResponse>();
  return (frame) => {
    if (frame.kind !== "messages") return noticeResponse(frame);
    let response = responses.get(frame);
    if (response === undefined) {
      response = lazyMessage(ReadMessagesResponseSchema, {
        make: () => messagesResponse(frame),
        encode: () => encodeMessagesFrame(frame),
      });
      responses.set(frame, response);
    }
    return response;
  };
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
