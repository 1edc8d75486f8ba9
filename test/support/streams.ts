import type { MessageInitShape } from "@bufbuild/protobuf";
import type {
  AppendedMessage,
  CaughtUp,
  NewStreamMessageSchema,
  ReadMessagesRequestSchema,
  StreamMessage,
} from "../../src/gen/satchel/v1/streams_pb.ts";
import type { StreamClient } from "./harness.ts";

export type NewMessage = MessageInitShape<typeof NewStreamMessageSchema>;

/** A message whose data is this value. */
export function message(value: unknown, more: NewMessage = {}): NewMessage {
  return { type: "Tested", data: JSON.stringify(value), ...more };
}

/** Appends messages whose data are these values, each by a call of its own unless they come as one list. */
export async function append(
  streams: StreamClient,
  streamName: string,
  values: readonly unknown[],
  more: NewMessage = {},
): Promise<AppendedMessage[]> {
  const { messages } = await streams.appendMessages({
    streamName,
    messages: values.map((value) => message(value, more)),
  });
  return messages;
}

/** What the data of messages are. */
export function valuesOf(messages: readonly StreamMessage[]): unknown[] {
  return messages.map(({ data }) => (data === undefined ? undefined : (JSON.parse(data) as unknown)));
}

/** A whole read. */
export interface Reading {
  readonly messages: StreamMessage[];
  /** The size of each batch, and its cursor. */
  readonly batches: { readonly size: number; readonly cursor: string }[];
  readonly caughtUp: CaughtUp | undefined;
}

/** Reads to the end; checks the order of the frames. */
export async function readAll(
  streams: StreamClient,
  request: MessageInitShape<typeof ReadMessagesRequestSchema>,
): Promise<Reading> {
  const messages: StreamMessage[] = [];
  const batches: Reading["batches"] = [];
  let caughtUp: CaughtUp | undefined;
  for await (const { frame } of streams.readMessages(request)) {
    if (caughtUp !== undefined) throw new Error("a frame came after caught_up");
    if (frame.case === "caughtUp") {
      caughtUp = frame.value;
    } else if (frame.case === "messages") {
      if (frame.value.messages.length === 0) throw new Error("a batch is empty");
      messages.push(...frame.value.messages);
      batches.push({ size: frame.value.messages.length, cursor: frame.value.cursor });
    } else {
      throw new Error("a frame is empty");
    }
  }
  return { messages, batches, caughtUp };
}

/** The selector of the whole namespace. */
export const ALL = { case: "all", value: true } as const;

/** The selector of a category. */
export function inCategory(value: string): { readonly case: "category"; readonly value: string } {
  return { case: "category", value };
}

/** The selector of a stream. */
export function inStream(value: string): { readonly case: "streamName"; readonly value: string } {
  return { case: "streamName", value };
}

/** The integers from 0 on. */
export function upTo(count: number): number[] {
  return Array.from({ length: count }, (_, index) => index);
}

/** A random UUID. */
export function newId(): string {
  return crypto.randomUUID();
}
