import type { MessageInitShape } from "@bufbuild/protobuf";
import { type JsonInput, toJsonText } from "../core/json.ts";
import { newUuid } from "../core/uuid.ts";
import type { AppendedMessage as WireAppended, AppendMessagesRequestSchema } from "../gen/satchel/v1/streams_pb.ts";

/** A message to append. */
export interface NewMessage {
  /** A UUID, unique in the namespace. Unset: the client chooses one before the first try, so that retries are idempotent. */
  readonly id?: string | undefined;
  /** The type of the message. */
  readonly type: string;
  /** The data. Unset: none. A string is JSON text. */
  readonly data?: JsonInput | undefined;
  /** The metadata, an object. Unset: none. A string is JSON text. */
  readonly metadata?: string | object | undefined;
}

/** What an append requires of its stream: at most one field. None: nothing. */
export interface Expectation {
  /** The stream has this version, the position of its last message. NO_STREAM: it does not exist. */
  readonly expectedVersion?: bigint | number | undefined;
  /** True: the stream exists, at any version. */
  readonly streamExists?: true | undefined;
}

/** The version of a stream that does not exist. */
export const NO_STREAM = -1n;

/** An append to one of several streams. */
export interface StreamAppend extends Expectation {
  readonly streamName: string;
  readonly messages: readonly NewMessage[];
}

/** Where a message was appended. */
export interface AppendedMessage {
  readonly id: string;
  readonly position: bigint;
  readonly globalPosition: bigint;
  /**
   * True when the message was there already: an earlier call, or an earlier try of this one whose answer was lost, has
   * appended it.
   */
  readonly deduplicated: boolean;
}

/** The request of AppendMessages: chooses missing ids and converts values to JSON text. */
export function appendRequest(
  streamName: string,
  messages: readonly NewMessage[],
  expectation: Expectation,
): MessageInitShape<typeof AppendMessagesRequestSchema> {
  return {
    streamName,
    messages: messages.map(({ id = newUuid(), type, data, metadata }) => ({
      id,
      type,
      ...(data === undefined ? {} : { data: toJsonText(data) }),
      ...(metadata === undefined ? {} : { metadata: toJsonText(metadata) }),
    })),
    expectation: expectationOf(expectation),
  };
}

/** Converts the wire messages. */
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
