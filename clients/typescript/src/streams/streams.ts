import type { CallOptions } from "../core/client-options.ts";
import { allItems, type ListOptions } from "../core/list-pages.ts";
import type { RpcCaller } from "../core/rpc-caller.ts";
import { StreamService, type StreamMessage as WireMessage } from "../gen/satchel/v1/streams_pb.ts";
import {
  type AppendedMessage,
  appendedMessages,
  appendRequest,
  type Expectation,
  type NewMessage,
  type StreamAppend,
} from "./append-request.ts";
import {
  type ConsumerGroupMember,
  consumerGroupField,
  type MessageBatch,
  readBatches,
  type ReadOptions,
} from "./read-messages.ts";
import {
  type DeletedStream,
  type DeleteStreamOptions,
  policyOf,
  type RetentionInForce,
  type RetentionPolicy,
  type RetentionPreview,
  type RetentionTarget,
  type TruncatedStream,
  wirePolicy,
  wireTarget,
} from "./retention.ts";
import { StreamMessage } from "./stream-message.ts";

/** Selects a page of a stream. */
export interface StreamPageOptions extends CallOptions {
  /** First position, inclusive. Unset: the beginning, or the end with `backwards`. */
  readonly position?: bigint | number | undefined;
  /** Highest number of messages, up to 10,000. Unset: 1,000. */
  readonly batchSize?: number | undefined;
  /** True: in descending order. */
  readonly backwards?: boolean | undefined;
  /** Only messages of these types. */
  readonly types?: readonly string[] | undefined;
}

/** Selects a page of a category. Positions are global positions. */
export interface CategoryPageOptions extends StreamPageOptions {
  /** Only messages correlated with this category. */
  readonly correlation?: string | undefined;
  /** Only the streams of this member. */
  readonly consumerGroup?: ConsumerGroupMember | undefined;
}

/** A page in the requested order. It may be shorter than requested although more messages match. */
export interface MessagePage {
  readonly messages: readonly StreamMessage[];
  /** True when more messages match after this page. */
  readonly hasMore: boolean;
}

/** Contents of a category. */
export interface CategorySummary {
  readonly category: string;
  readonly messageCount: bigint;
  readonly streamCount: bigint;
  readonly lastGlobalPosition: bigint;
}

/** Contents of a stream. */
export interface StreamSummary {
  readonly streamName: string;
  readonly messageCount: bigint;
  /** Position of the last message. */
  readonly version: bigint;
  readonly lastGlobalPosition: bigint;
}

const RPC = StreamService.method;

/** The streams of the namespace that the token opens. Every method rejects with a SatchelClientError. */
export class Streams {
  readonly #caller: RpcCaller;

  constructor(caller: RpcCaller) {
    this.#caller = caller;
  }

  /**
   * Appends 1 to 1,000 messages to the end of one stream, all or none; resolves with one result per message. Retries are
   * idempotent, because the messages have ids.
   */
  async append(
    streamName: string,
    messages: readonly NewMessage[],
    options: Expectation & CallOptions = {},
  ): Promise<readonly AppendedMessage[]> {
    const request = appendRequest(streamName, messages, options);
    const response = await this.#caller.callWithRetries(RPC.appendMessages, request, options);
    return appendedMessages(response.messages);
  }

  /** Appends to several streams in one transaction; resolves with one list per append. Retries are idempotent. */
  async appendToStreams(
    appends: readonly StreamAppend[],
    options?: CallOptions,
  ): Promise<readonly (readonly AppendedMessage[])[]> {
    const requests = appends.map((append) => appendRequest(append.streamName, append.messages, append));
    const response = await this.#caller.callWithRetries(RPC.appendToStreams, { appends: requests }, options);
    return response.appends.map(({ messages }) => appendedMessages(messages));
  }

  /** One page of a stream; empty when the stream does not exist. */
  async getStreamMessages(streamName: string, options: StreamPageOptions = {}): Promise<MessagePage> {
    const request = { streamName, ...pageRequest(options) };
    return pageOf(await this.#caller.callWithRetries(RPC.getStreamMessages, request, options));
  }

  /** One page of a category, by global position. */
  async getCategoryMessages(category: string, options: CategoryPageOptions = {}): Promise<MessagePage> {
    const { correlation = "", consumerGroup } = options;
    const request = { category, correlation, ...pageRequest(options), ...consumerGroupField(consumerGroup) };
    return pageOf(await this.#caller.callWithRetries(RPC.getCategoryMessages, request, options));
  }

  /** The last message of a stream, of one type if given; undefined when there is none. */
  async lastMessage(
    streamName: string,
    options: CallOptions & { readonly type?: string | undefined } = {},
  ): Promise<StreamMessage | undefined> {
    const request = { streamName, type: options.type ?? "" };
    const { message } = await this.#caller.callWithRetries(RPC.getLastStreamMessage, request, options);
    return message === undefined ? undefined : new StreamMessage(message);
  }

  /** The position of the last message of a stream; undefined when the stream does not exist. */
  async version(streamName: string, options?: CallOptions): Promise<bigint | undefined> {
    const { version } = await this.#caller.callWithRetries(RPC.getStreamVersion, { streamName }, options);
    return version;
  }

  /**
   * Reads a stream, a category or the whole namespace to its end, or continues live with `follow`. A read that fails
   * resumes by itself: no message is missed and none comes twice. Leaving the loop cancels the call.
   */
  async *read(options: ReadOptions): AsyncGenerator<StreamMessage, void, undefined> {
    for await (const { messages } of readBatches(this.#caller, options)) yield* messages;
  }

  /** Like `read`, in the batches in which messages arrive. The cursor of each batch resumes after it. */
  readBatches(options: ReadOptions): AsyncGenerator<MessageBatch, void, undefined> {
    return readBatches(this.#caller, options);
  }

  /** Lists the categories, by name in bytewise order. */
  listCategories(options: ListOptions = {}): AsyncGenerator<CategorySummary, void, undefined> {
    const { prefix = "" } = options;
    return allItems(options, async (page) => {
      const response = await this.#caller.callWithRetries(RPC.listCategories, { prefix, ...page }, options);
      return { items: response.categories.map(categorySummary), nextPageToken: response.nextPageToken };
    });
  }

  /** Lists the streams, of one category if given, by name in bytewise order. */
  listStreams(
    options: ListOptions & { readonly category?: string | undefined } = {},
  ): AsyncGenerator<StreamSummary, void, undefined> {
    const { prefix = "", category = "" } = options;
    return allItems(options, async (page) => {
      const response = await this.#caller.callWithRetries(RPC.listStreams, { prefix, category, ...page }, options);
      return { items: response.streams.map(streamSummary), nextPageToken: response.nextPageToken };
    });
  }

  /** Removes the messages before a position, permanently. The stream keeps its version. Needs the role admin. */
  async truncate(streamName: string, beforePosition: bigint | number, options?: CallOptions): Promise<TruncatedStream> {
    const request = { streamName, beforePosition: BigInt(beforePosition) };
    const { removedCount, firstPosition } = await this.#caller.callWithRetries(RPC.truncateStream, request, options);
    return { removedCount, firstPosition };
  }

  /**
   * Deletes a stream with all its messages. Without `tombstone` an append creates it again and continues its version.
   * Needs the role admin. Retried only with `tombstone` or `expectedVersion`: otherwise a retry could delete messages that
   * were appended in between.
   */
  async delete(streamName: string, options: DeleteStreamOptions = {}): Promise<DeletedStream> {
    const { tombstone = false, expectedVersion } = options;
    const expectation = expectedVersion === undefined ? {} : { expectedVersion: BigInt(expectedVersion) };
    const request = { streamName, tombstone, ...expectation };
    const { removedCount, version } =
      tombstone || expectedVersion !== undefined
        ? await this.#caller.callWithRetries(RPC.deleteStream, request, options)
        : await this.#caller.callOnce(RPC.deleteStream, request, options);
    return { removedCount, version };
  }

  /** Sets the retention policy of a stream or category; undefined removes it. Needs the role admin. */
  async setRetention(
    target: RetentionTarget,
    policy: RetentionPolicy | undefined,
    options?: CallOptions,
  ): Promise<void> {
    const request = { ...wireTarget(target), policy: wirePolicy(policy ?? {}) };
    await this.#caller.callWithRetries(RPC.setRetention, request, options);
  }

  /** Counts what a policy would remove now, and changes nothing. Needs the role admin. */
  async previewRetention(
    target: RetentionTarget,
    policy: RetentionPolicy,
    options?: CallOptions,
  ): Promise<RetentionPreview> {
    const request = { ...wireTarget(target), policy: wirePolicy(policy), dryRun: true };
    const { preview } = await this.#caller.callWithRetries(RPC.setRetention, request, options);
    const { messageCount = 0n, streamCount = 0n, complete = false } = preview ?? {};
    return { messageCount, streamCount, complete };
  }

  /** The policy in force for a stream or category; undefined: everything is kept. */
  async getRetention(target: RetentionTarget, options?: CallOptions): Promise<RetentionInForce | undefined> {
    const { policy, inherited } = await this.#caller.callWithRetries(RPC.getRetention, wireTarget(target), options);
    return policy === undefined ? undefined : { ...policyOf(policy), inherited };
  }
}

function pageRequest({ position, batchSize = 0, backwards = false, types = [] }: StreamPageOptions) {
  const start = position === undefined ? {} : { position: BigInt(position) };
  return { ...start, batchSize, backwards, types: [...types] };
}

interface WirePage {
  readonly messages: readonly WireMessage[];
  readonly hasMore: boolean;
}

function pageOf({ messages, hasMore }: WirePage): MessagePage {
  return { messages: messages.map((message) => new StreamMessage(message)), hasMore };
}

function categorySummary({
  category,
  messageCount,
  streamCount,
  lastGlobalPosition,
}: CategorySummary): CategorySummary {
  return { category, messageCount, streamCount, lastGlobalPosition };
}

function streamSummary({ streamName, messageCount, version, lastGlobalPosition }: StreamSummary): StreamSummary {
  return { streamName, messageCount, version, lastGlobalPosition };
}
