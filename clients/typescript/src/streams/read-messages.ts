import type { MessageInitShape } from "@bufbuild/protobuf";
import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import type { CallOptions } from "../core/client-options.ts";
import { toClientError } from "../core/errors.ts";
import type { RpcCaller } from "../core/rpc-caller.ts";
import { ServerStreamCall } from "../core/server-stream-call.ts";
import { wireName } from "../core/wire-conversions.ts";
import {
  type ReadMessagesRequestSchema,
  type ReadMessagesResponse,
  StreamService,
} from "../gen/satchel/v1/streams_pb.ts";
import { StreamMessage } from "./stream-message.ts";

/** A member of a consumer group of fixed size, as Message DB has them; its share of the streams is fixed too. */
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
      /** Only the streams of this member. */
      readonly consumerGroup?: ConsumerGroupMember | undefined;
    }
  | { readonly all: true };

/** Where a read begins: at most one field. None: at the beginning. */
export interface ReadStart {
  /** A position, inclusive: in the stream, or a global position for a category or the namespace. */
  readonly position?: bigint | number | undefined;
  /** The first message appended at or after this time. */
  readonly time?: Date | undefined;
  /** Resumes an earlier read with the same selector and types: the `cursor` of its last batch. */
  readonly cursor?: string | undefined;
  /** True: at the end; only messages appended from now on are read. */
  readonly end?: boolean | undefined;
}

/** A read. */
export type ReadOptions = ReadSelector &
  ReadStart &
  CallOptions & {
    /** Only messages of these types. */
    readonly types?: readonly string[] | undefined;
    /** Highest number of messages. Unset: no limit. */
    readonly limit?: bigint | number | undefined;
    /** True: continues live after the end, until the loop is left or the signal fires. */
    readonly follow?: boolean | undefined;
  };

/** Messages in order. */
export interface MessageBatch {
  /** Empty in batches that only report the end or advance the cursor. */
  readonly messages: readonly StreamMessage[];
  /** Resumes after this batch. */
  readonly cursor: string;
  /** True when the end has been reached. Without `follow` this is the last batch. */
  readonly caughtUp: boolean;
}

/**
 * Reads to the end, or continues live with `follow`, in the batches in which messages arrive. A read that fails resumes
 * after the last complete batch, so that no message is missed and none comes twice.
 */
export async function* readBatches(
  caller: RpcCaller,
  options: ReadOptions,
): AsyncGenerator<MessageBatch, void, undefined> {
  const { signal, timeoutMs = 0 } = options;
  const retries = caller.retries(timeoutMs, signal);
  let cursor = options.cursor;
  let left = options.limit === undefined || BigInt(options.limit) === 0n ? undefined : BigInt(options.limit);
  const open = (): ServerStreamCall<ReadMessagesResponse> => {
    const request = requestOf(options, cursor, left);
    const timeoutMs = retries.remainingMs();
    return new ServerStreamCall(
      (either) => caller.openStream(StreamService.method.readMessages, request, either, timeoutMs),
      {
        signal,
        live: options.follow === true,
      },
    );
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
        // A server that shuts down reports how far it has read, which may be beyond the last message.
        if (failure.reason === "SHUTTING_DOWN") cursor = failure.metadata["cursor"] ?? cursor;
        await retries.waitAfter(failure);
        call = open();
        continue;
      }
      retries.recordProgress();
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

/** The next batch; throws when the call fails before the last one. */
async function nextBatch(call: ServerStreamCall<ReadMessagesResponse>): Promise<MessageBatch> {
  for (;;) {
    const batch = batchOf(await call.next());
    if (batch !== undefined) return batch;
  }
}

/** undefined: a kind of frame that is newer than this client. */
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
  return { ...request, selector, correlation, ...consumerGroupField(consumerGroup) };
}

type Start = MessageInitShape<typeof ReadMessagesRequestSchema>["start"];

function startOf({ position, time, end }: ReadStart, cursor: string | undefined): NonNullable<Start> {
  if (cursor !== undefined) return { case: "cursor", value: cursor };
  if (position !== undefined) return { case: "position", value: BigInt(position) };
  if (time !== undefined) return { case: "time", value: timestampFromDate(time) };
  if (end === true) return { case: "end", value: true };
  return { case: undefined };
}

/** The request field for the streams of a member. */
export function consumerGroupField(group: ConsumerGroupMember | undefined): {
  consumerGroup?: { member: bigint; size: bigint };
} {
  if (group === undefined) return {};
  return { consumerGroup: { member: BigInt(group.member), size: BigInt(group.size) } };
}
