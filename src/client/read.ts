import type { MessageInitShape } from "@bufbuild/protobuf";
import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import {
  type ReadMessagesRequestSchema,
  type ReadMessagesResponse,
  StreamService,
} from "../gen/satchel/v1/streams_pb.ts";
import type { Caller } from "./caller.ts";
import { toClientError } from "./errors.ts";
import type { CallOptions } from "./options.ts";
import { StreamCall } from "./stream-call.ts";
import { StreamMessage } from "./stream-message.ts";
import { wireName } from "./wire-values.ts";

/** One member of a consumer group of a fixed size. */
export interface ConsumerGroupMember {
  /** 0 to size - 1. */
  readonly member: bigint | number;
  /** 1 to 32,767. */
  readonly size: bigint | number;
}

/** What to read: one stream, one category, or the whole namespace. */
export type ReadSelector =
  | { readonly streamName: string }
  | {
      readonly category: string;
      /** Only messages correlated with this category. */
      readonly correlation?: string | undefined;
      /** Only the share of this member. */
      readonly consumerGroup?: ConsumerGroupMember | undefined;
    }
  | { readonly all: true };

/** Where a read begins: at most one of them; none = at the beginning. */
export interface ReadStart {
  /** A position, inclusive: of the stream, or a global one for a category or the namespace. */
  readonly position?: bigint | number | undefined;
  /** The first message appended at or after this time. */
  readonly time?: Date | undefined;
  /** After what an earlier read of the same selector and types has delivered: the `cursor` of its last batch. */
  readonly cursor?: string | undefined;
  /** True: at the end, so that only what is appended from now on is read. */
  readonly end?: boolean | undefined;
}

/** A read. */
export type ReadOptions = ReadSelector &
  ReadStart &
  CallOptions & {
    /** Only messages of these types. */
    readonly types?: readonly string[] | undefined;
    /** Stop after this many messages; unset = at the end, or never when following. */
    readonly limit?: bigint | number | undefined;
    /** True: go on live after the end, until the loop is left or the signal fires. */
    readonly follow?: boolean | undefined;
  };

/** Messages in order. */
export interface MessageBatch {
  /** Empty in the batch that says that the end was reached, and in those that only move the cursor. */
  readonly messages: readonly StreamMessage[];
  /** Resumes after this batch. */
  readonly cursor: string;
  /** True when everything up to the end has been delivered; unless following, this is the last batch. */
  readonly caughtUp: boolean;
}

/**
 * Reads up to the end, or goes on live, in the batches in which messages arrive. A read that breaks off is taken up again after the last
 * batch that has arrived whole, so nothing is missed and nothing comes twice.
 */
export async function* readBatches(
  caller: Caller,
  options: ReadOptions,
): AsyncGenerator<MessageBatch, void, undefined> {
  const { signal, timeoutMs = 0 } = options;
  const attempts = caller.attempts(timeoutMs, signal);
  let cursor = options.cursor;
  let left = options.limit === undefined || BigInt(options.limit) === 0n ? undefined : BigInt(options.limit);
  const open = (): StreamCall<ReadMessagesResponse> => {
    const request = requestOf(options, cursor, left);
    const timeoutMs = attempts.remainingMs();
    return new StreamCall((either) => caller.stream(StreamService.method.readMessages, request, either, timeoutMs), {
      signal,
      live: options.follow === true,
    });
  };
  let call = open();
  try {
    for (;;) {
      let batch: MessageBatch;
      try {
        batch = await nextBatch(call);
      } catch (error) {
        call.close();
        const failure = toClientError(error, signal);
        // A server that shuts down says how far it has looked, which may be further than the last message.
        if (failure.reason === "SHUTTING_DOWN") cursor = failure.metadata["cursor"] ?? cursor;
        await attempts.failed(failure);
        call = open();
        continue;
      }
      attempts.progressed();
      cursor = batch.cursor;
      if (left !== undefined) left -= BigInt(batch.messages.length);
      yield batch;
      const ended = batch.caughtUp && options.follow !== true;
      if (ended || (left !== undefined && left <= 0n)) return await call.end();
    }
  } finally {
    call.close();
  }
}

/** The next batch; throws when the call breaks off before its last one. */
async function nextBatch(call: StreamCall<ReadMessagesResponse>): Promise<MessageBatch> {
  for (;;) {
    const batch = batchOf(await call.next());
    if (batch !== undefined) return batch;
  }
}

/** Undefined for a kind of frame that is newer than this client. */
function batchOf({ frame }: ReadMessagesResponse): MessageBatch | undefined {
  switch (frame.case) {
    case "messages": {
      const { messages, cursor } = frame.value;
      return { messages: messages.map((message) => new StreamMessage(message)), cursor, caughtUp: false };
    }
    case "caughtUp":
      return { messages: [], cursor: frame.value.cursor, caughtUp: true };
    case "fellBehind":
    case "checkpoint":
    case "heartbeat":
      return { messages: [], cursor: frame.value.cursor, caughtUp: false };
    default:
      return undefined;
  }
}

function requestOf(
  options: ReadOptions,
  cursor: string | undefined,
  left: bigint | undefined,
): MessageInitShape<typeof ReadMessagesRequestSchema> {
  const request = {
    start: startOf(options, cursor),
    types: [...(options.types ?? [])],
    limit: left ?? 0n,
    follow: options.follow ?? false,
  };
  if ("streamName" in options)
    return { ...request, selector: { case: "streamName", value: wireName(options.streamName) } };
  if ("all" in options) return { ...request, selector: { case: "all", value: options.all } };
  const { category, correlation = "", consumerGroup } = options;
  const selector = { case: "category", value: wireName(category) } as const;
  return { ...request, selector, correlation, ...groupOf(consumerGroup) };
}

type Start = MessageInitShape<typeof ReadMessagesRequestSchema>["start"];

function startOf({ position, time, end }: ReadStart, cursor: string | undefined): NonNullable<Start> {
  if (cursor !== undefined) return { case: "cursor", value: cursor };
  if (position !== undefined) return { case: "position", value: BigInt(position) };
  if (time !== undefined) return { case: "time", value: timestampFromDate(time) };
  if (end === true) return { case: "end", value: true };
  return { case: undefined };
}

/** The field of a request that selects a member's share. */
export function groupOf(group: ConsumerGroupMember | undefined): { consumerGroup?: { member: bigint; size: bigint } } {
  if (group === undefined) return {};
  return { consumerGroup: { member: BigInt(group.member), size: BigInt(group.size) } };
}
