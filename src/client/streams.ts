import { StreamService, type StreamMessage as WireMessage } from "../gen/satchel/v1/streams_pb.ts";
import {
  type AppendedMessage,
  appendedMessages,
  appendRequest,
  type Expectation,
  type NewMessage,
  type StreamAppend,
} from "./append.ts";
import type { Caller } from "./caller.ts";
import type { CallOptions } from "./options.ts";
import { allItems, type ListOptions } from "./paging.ts";
import { type ConsumerGroupMember, groupOf, type MessageBatch, readBatches, type ReadOptions } from "./read.ts";
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

/** Which page of a stream to return. */
export interface StreamPageOptions extends CallOptions {
  /** The first position, inclusive; unset = the beginning, or the end when `backwards`. */
  readonly position?: bigint | number | undefined;
  /** At most this many messages, up to 10,000; unset = 1,000. */
  readonly batchSize?: number | undefined;
  /** Towards the beginning, in descending order. */
  readonly backwards?: boolean | undefined;
  /** Only messages of these types. */
  readonly types?: readonly string[] | undefined;
}

/** Which page of a category to return; positions are global ones. */
export interface CategoryPageOptions extends StreamPageOptions {
  /** Only messages correlated with this category. */
  readonly correlation?: string | undefined;
  /** Only the share of this member. */
  readonly consumerGroup?: ConsumerGroupMember | undefined;
}

/** A page, in the order asked for; it may be shorter than asked for although more messages match. */
export interface MessagePage {
  readonly messages: readonly StreamMessage[];
  /** True when at least one more message matches beyond this page. */
  readonly hasMore: boolean;
}

/** What a category holds. */
export interface CategorySummary {
  readonly category: string;
  readonly messageCount: bigint;
  readonly streamCount: bigint;
  readonly lastGlobalPosition: bigint;
}

/** What a stream holds. */
export interface StreamSummary {
  readonly streamName: string;
  readonly messageCount: bigint;
  /** The position of its last message. */
  readonly version: bigint;
  readonly lastGlobalPosition: bigint;
}

const RPC = StreamService.method;

/** The streams of the namespace that the token opens. Every method rejects with a SatchelClientError. */
export class Streams {
  readonly #caller: Caller;

  constructor(caller: Caller) {
    this.#caller = caller;
  }

  /**
   * Appends 1 to 1,000 messages to the end of one stream, all or none; resolves with one answer per message. It is
   * repeated when its outcome is unknown: the ids of the messages see to it that nothing is appended twice.
   */
  async append(
    streamName: string,
    messages: readonly NewMessage[],
    options: Expectation & CallOptions = {},
  ): Promise<readonly AppendedMessage[]> {
    const request = appendRequest(streamName, messages, options);
    const response = await this.#caller.repeatable(RPC.appendMessages, request, options);
    return appendedMessages(response.messages);
  }

  /** Appends to several streams in one transaction: all or nothing. Resolves with one list per append. */
  async appendToStreams(
    appends: readonly StreamAppend[],
    options?: CallOptions,
  ): Promise<readonly (readonly AppendedMessage[])[]> {
    const requests = appends.map((append) => appendRequest(append.streamName, append.messages, append));
    const response = await this.#caller.repeatable(RPC.appendToStreams, { appends: requests }, options);
    return response.appends.map(({ messages }) => appendedMessages(messages));
  }

  /** One page of a stream; empty when there is no such stream. */
  async getStreamMessages(streamName: string, options: StreamPageOptions = {}): Promise<MessagePage> {
    const request = { streamName, ...pageRequest(options) };
    return pageOf(await this.#caller.repeatable(RPC.getStreamMessages, request, options));
  }

  /** One page of a category, by global position. */
  async getCategoryMessages(category: string, options: CategoryPageOptions = {}): Promise<MessagePage> {
    const { correlation = "", consumerGroup } = options;
    const request = { category, correlation, ...pageRequest(options), ...groupOf(consumerGroup) };
    return pageOf(await this.#caller.repeatable(RPC.getCategoryMessages, request, options));
  }

  /** The last message of a stream, or its last one of a type; undefined when there is none. */
  async lastMessage(
    streamName: string,
    options: CallOptions & { readonly type?: string | undefined } = {},
  ): Promise<StreamMessage | undefined> {
    const request = { streamName, type: options.type ?? "" };
    const { message } = await this.#caller.repeatable(RPC.getLastStreamMessage, request, options);
    return message === undefined ? undefined : new StreamMessage(message);
  }

  /** The position of the last message of a stream; undefined when there is no such stream. */
  async version(streamName: string, options?: CallOptions): Promise<bigint | undefined> {
    const { version } = await this.#caller.repeatable(RPC.getStreamVersion, { streamName }, options);
    return version;
  }

  /**
   * Reads a stream, a category or the whole namespace, however long, up to its end, or, with `follow`, on and on. A read that breaks off is taken up
   * again where it was: no message is missed, none comes twice. Leaving the loop cancels the call.
   */
  async *read(options: ReadOptions): AsyncGenerator<StreamMessage, void, undefined> {
    for await (const { messages } of readBatches(this.#caller, options)) yield* messages;
  }

  /** As `read`, in the batches in which messages arrive, each with a cursor to resume after it: for who keeps a place. */
  readBatches(options: ReadOptions): AsyncGenerator<MessageBatch, void, undefined> {
    return readBatches(this.#caller, options);
  }

  /** Every category, by name, in bytewise order. */
  listCategories(options: ListOptions = {}): AsyncGenerator<CategorySummary, void, undefined> {
    const { prefix = "" } = options;
    return allItems(options, async (page) => {
      const response = await this.#caller.repeatable(RPC.listCategories, { prefix, ...page }, options);
      return { items: response.categories.map(categorySummary), nextPageToken: response.nextPageToken };
    });
  }

  /** Every stream, perhaps of one category only, by name, in bytewise order. */
  listStreams(
    options: ListOptions & { readonly category?: string | undefined } = {},
  ): AsyncGenerator<StreamSummary, void, undefined> {
    const { prefix = "", category = "" } = options;
    return allItems(options, async (page) => {
      const response = await this.#caller.repeatable(RPC.listStreams, { prefix, category, ...page }, options);
      return { items: response.streams.map(streamSummary), nextPageToken: response.nextPageToken };
    });
  }

  /** Removes the messages of a stream before a position, for good. The stream keeps its version. Needs the role admin. */
  async truncate(streamName: string, beforePosition: bigint | number, options?: CallOptions): Promise<TruncatedStream> {
    const request = { streamName, beforePosition: BigInt(beforePosition) };
    const { removedCount, firstPosition } = await this.#caller.repeatable(RPC.truncateStream, request, options);
    return { removedCount, firstPosition };
  }

  /**
   * Removes a stream with all of its messages; an append creates it again and goes on with its version, unless this was
   * for good (`tombstone`). Needs the role admin. Without a tombstone or an expected version it is tried only once, for a
   * repeat could delete what was appended in between.
   */
  async delete(streamName: string, options: DeleteStreamOptions = {}): Promise<DeletedStream> {
    const { tombstone = false, expectedVersion } = options;
    const expectation = expectedVersion === undefined ? {} : { expectedVersion: BigInt(expectedVersion) };
    const request = { streamName, tombstone, ...expectation };
    const { removedCount, version } =
      tombstone || expectedVersion !== undefined
        ? await this.#caller.repeatable(RPC.deleteStream, request, options)
        : await this.#caller.once(RPC.deleteStream, request, options);
    return { removedCount, version };
  }

  /** Sets how much is kept of a stream, or of each stream of a category; undefined = everything. Needs the role admin. */
  async setRetention(
    target: RetentionTarget,
    policy: RetentionPolicy | undefined,
    options?: CallOptions,
  ): Promise<void> {
    const request = { ...wireTarget(target), policy: wirePolicy(policy ?? {}) };
    await this.#caller.repeatable(RPC.setRetention, request, options);
  }

  /** What a policy would remove now; nothing is changed. Needs the role admin. */
  async previewRetention(
    target: RetentionTarget,
    policy: RetentionPolicy,
    options?: CallOptions,
  ): Promise<RetentionPreview> {
    const request = { ...wireTarget(target), policy: wirePolicy(policy), dryRun: true };
    const { preview } = await this.#caller.repeatable(RPC.setRetention, request, options);
    const { messageCount = 0n, streamCount = 0n, complete = false } = preview ?? {};
    return { messageCount, streamCount, complete };
  }

  /** The policy in force for a stream or category; undefined when everything is kept. */
  async getRetention(target: RetentionTarget, options?: CallOptions): Promise<RetentionInForce | undefined> {
    const { policy, inherited } = await this.#caller.repeatable(RPC.getRetention, wireTarget(target), options);
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
