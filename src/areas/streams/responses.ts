import type { AppendMessagesResponse, StreamMessage } from "../../gen/satchel/v1/streams_pb.ts";
import { timestamp } from "../../kernel/rpc/times.ts";
import type { AppendedMessage } from "./domain/append.ts";
import type { StoredMessage } from "./domain/message.ts";

// What is on a hot path is built as a whole message, with its $typeName: protobuf-es then needs no pass over it.

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

/** What an append to one stream has done. */
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
