import type { MessageInitShape } from "@bufbuild/protobuf";
import type { AppendedMessage as WireAppended, AppendMessagesRequestSchema } from "../gen/satchel/v1/streams_pb.ts";
import { type JsonInput, toJsonText } from "./json.ts";
import { newMessageId } from "./message-id.ts";

/** A message to append. */
export interface NewMessage {
  /** A UUID, unique in the namespace. Unset: a new one, chosen before the first try, so that a repeat is recognised. */
  readonly id?: string | undefined;
  /** What kind of message it is. */
  readonly type: string;
  /** The data; unset = none. A string is JSON text. */
  readonly data?: JsonInput | undefined;
  /** The metadata, an object; unset = none. A string is JSON text. */
  readonly metadata?: string | object | undefined;
}

/** What a stream must be like before an append: at most one of the two; none = anything. */
export interface Expectation {
  /** The stream's version: the position of its last message, or NO_STREAM when it must not exist. */
  readonly expectedVersion?: bigint | number | undefined;
  /** True: the stream must exist, at whatever version. */
  readonly streamExists?: true | undefined;
}

/** The version of a stream that does not exist. */
export const NO_STREAM = -1n;

/** Messages for one of several streams. */
export interface StreamAppend extends Expectation {
  readonly streamName: string;
  readonly messages: readonly NewMessage[];
}

/** Where a message is. */
export interface AppendedMessage {
  readonly id: string;
  readonly position: bigint;
  readonly globalPosition: bigint;
  /**
   * True when the message was there before this try: an earlier call has appended it, or an earlier try of this one
   * whose answer was lost.
   */
  readonly deduplicated: boolean;
}

/** The request for one stream, with every id chosen and every value written as JSON text. */
export function appendRequest(
  streamName: string,
  messages: readonly NewMessage[],
  expectation: Expectation,
): MessageInitShape<typeof AppendMessagesRequestSchema> {
  return {
    streamName,
    messages: messages.map(({ id = newMessageId(), type, data, metadata }) => ({
      id,
      type,
      ...(data === undefined ? {} : { data: toJsonText(data) }),
      ...(metadata === undefined ? {} : { metadata: toJsonText(metadata) }),
    })),
    expectation: expectationOf(expectation),
  };
}

/** The answer without protobuf's extras. */
export function appendedMessages(messages: readonly WireAppended[]): readonly AppendedMessage[] {
  return messages.map(({ id, position, globalPosition, deduplicated }) => ({
    id,
    position,
    globalPosition,
    deduplicated,
  }));
}

type WireExpectation = MessageInitShape<typeof AppendMessagesRequestSchema>["expectation"];

function expectationOf({ expectedVersion, streamExists }: Expectation): NonNullable<WireExpectation> {
  if (expectedVersion !== undefined && streamExists !== undefined) {
    throw new TypeError("an append expects a version or that the stream exists, not both");
  }
  if (expectedVersion !== undefined) return { case: "expectedVersion", value: BigInt(expectedVersion) };
  if (streamExists !== undefined) return { case: "streamExists", value: streamExists };
  return { case: undefined };
}
