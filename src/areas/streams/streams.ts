import type { CallOptions } from "../../kernel/call-options.ts";
import { fieldError } from "../../kernel/errors.ts";
import type { Limits } from "../../kernel/limits.ts";
import { nextTurn } from "../../kernel/next-turn.ts";
import { listPage, type ListPage, type ListRequest } from "../../kernel/paging.ts";
import type { ServicePrincipal } from "../../kernel/principal.ts";
import type { Store } from "../../kernel/store/store.ts";
import type { Appends } from "./appends.ts";
import type { AppendedMessage, AppendRequest, StreamAppend } from "./domain/append.ts";
import {
  type CategorySummary,
  MAX_POSITION,
  type Selector,
  type StoredMessage,
  type StreamSummary,
} from "./domain/message.ts";
import type { ReadFrame, ReadRequest } from "./domain/read.ts";
import type { Category, StreamName } from "./domain/stream-name.ts";
import { messageIdExists, streamDeleted, versionConflict } from "./errors.ts";
import type { Feed } from "./feed/feed.ts";
import { followFrames } from "./feed/follow.ts";
import { readFrames } from "./feed/read.ts";
import { PageBuilder } from "./message-page.ts";
import { streamStore } from "./store/stores.ts";

/** Which page of a stream or category to return. */
export interface PageRequest {
  readonly selector: Selector;
  /** The first position, inclusive; unset = where the direction begins. */
  readonly position: bigint | undefined;
  readonly batchSize: number;
  readonly backwards: boolean;
  readonly types: readonly string[];
}

/** A page of messages. */
export interface MessagePage {
  readonly messages: readonly StoredMessage[];
  /** True when at least one more message matches beyond this page. */
  readonly hasMore: boolean;
}

/** Which page of names to return. */
export interface NamesRequest extends ListRequest {
  readonly prefix: string;
}

/** Which page of stream names to return, perhaps of one category only. */
export interface StreamsRequest extends NamesRequest {
  readonly category: Category | undefined;
}

interface StreamsOptions {
  readonly store: Store;
  readonly appends: Appends;
  readonly feed: Feed;
  readonly limits: Limits;
}

/** The streams of the caller's namespace. */
export class Streams {
  readonly #store: Store;
  readonly #appends: Appends;
  readonly #feed: Feed;
  readonly #limits: Limits;

  constructor({ store, appends, feed, limits }: StreamsOptions) {
    this.#store = store;
    this.#appends = appends;
    this.#feed = feed;
    this.#limits = limits;
  }

  /** Appends to one stream. Throws FIELD_INVALID, STREAM_DELETED, VERSION_CONFLICT, MESSAGE_ID_EXISTS, LIMIT_EXCEEDED. */
  async appendMessages(
    caller: ServicePrincipal,
    append: StreamAppend,
    options: CallOptions,
  ): Promise<readonly AppendedMessage[]> {
    const [messages = []] = await this.#append(caller, { appends: [append] }, () => "", options);
    return messages;
  }

  /** Appends to several streams, all or nothing. Throws as `appendMessages` does. */
  async appendToStreams(
    caller: ServicePrincipal,
    appends: readonly StreamAppend[],
    options: CallOptions,
  ): Promise<readonly (readonly AppendedMessage[])[]> {
    refuseRepeatedStreams(appends);
    return this.#append(caller, { appends }, (index) => `appends[${index}].`, options);
  }

  /** Returns one page of a stream or a category. */
  async page(caller: ServicePrincipal, request: PageRequest, { signal }: CallOptions): Promise<MessagePage> {
    const { selector, backwards, types } = request;
    const store = streamStore(this.#store.engine, caller.namespaceId);
    const page = new PageBuilder(request.batchSize, this.#limits.maxPageBytes);
    let from: bigint | undefined = startOf(request);
    while (from !== undefined) {
      // One message more than there is room for tells whether there are more.
      const bounds = { limit: page.roomForMessages + 1, maxBytes: page.roomForBytes };
      const window = await store.page({ selector, from, backwards, types, ...bounds }, { signal });
      if (!page.add(window.messages)) return { messages: page.messages, hasMore: true };
      from = window.next;
      if (from !== undefined) await nextTurn(signal);
    }
    return { messages: page.messages, hasMore: false };
  }

  /** Reads everything up to the end as it is now, or goes on live. Throws PAGE_TOKEN_INVALID, SHUTTING_DOWN. */
  read(caller: ServicePrincipal, request: ReadRequest, options: CallOptions): AsyncIterable<ReadFrame> {
    const { namespaceId } = caller;
    const store = streamStore(this.#store.engine, namespaceId);
    if (!request.follow) return readFrames(store, namespaceId, request, options);
    const signal = options.signal ?? new AbortController().signal;
    return followFrames({ feed: this.#feed, store, namespaceId, signal }, request);
  }

  /** Returns the last message of a stream, or its last one of a type. */
  last(
    caller: ServicePrincipal,
    streamName: StreamName,
    type: string | undefined,
    options: CallOptions,
  ): Promise<StoredMessage | undefined> {
    return streamStore(this.#store.engine, caller.namespaceId).last(streamName, type, options);
  }

  /** Returns the position of the last message of a stream. */
  version(caller: ServicePrincipal, streamName: StreamName, options: CallOptions): Promise<bigint | undefined> {
    return streamStore(this.#store.engine, caller.namespaceId).version(streamName, options);
  }

  /** Lists categories by name. Throws PAGE_TOKEN_INVALID. */
  listCategories(
    caller: ServicePrincipal,
    request: NamesRequest,
    options: CallOptions,
  ): Promise<ListPage<CategorySummary>> {
    const { prefix } = request;
    return listPage(
      request,
      ["categories", caller.namespaceId, prefix],
      ({ category }) => category,
      (after, limit) =>
        streamStore(this.#store.engine, caller.namespaceId).categories({ prefix, after, limit }, options),
    );
  }

  /** Lists streams by name. Throws PAGE_TOKEN_INVALID. */
  listStreams(
    caller: ServicePrincipal,
    request: StreamsRequest,
    options: CallOptions,
  ): Promise<ListPage<StreamSummary>> {
    const { prefix, category } = request;
    return listPage(
      request,
      ["streams", caller.namespaceId, prefix, category ?? ""],
      ({ streamName }) => streamName,
      (after, limit) =>
        streamStore(this.#store.engine, caller.namespaceId).streams({ prefix, category, after, limit }, options),
    );
  }

  async #append(
    caller: ServicePrincipal,
    request: AppendRequest,
    pathOf: (appendIndex: number) => string,
    options: CallOptions,
  ): Promise<readonly (readonly AppendedMessage[])[]> {
    refuseRepeatedIds(request, pathOf);
    const outcome = await this.#appends.append(caller.namespaceId, request, options);
    switch (outcome.kind) {
      case "appended":
        return outcome.appends;
      case "conflict":
        throw versionConflict(outcome.conflicts);
      case "stream-deleted":
        throw streamDeleted(outcome.streamNames);
      case "id-exists": {
        const { appendIndex, messageIndex } = outcome;
        throw messageIdExists(request, appendIndex, messageIndex, `${pathOf(appendIndex)}messages[${messageIndex}]`);
      }
    }
  }
}

function startOf({ position, backwards }: PageRequest): bigint {
  if (position === undefined) return backwards ? MAX_POSITION : 0n;
  return position < 0n ? 0n : position;
}

function refuseRepeatedStreams(appends: readonly StreamAppend[]): void {
  const seen = new Set<string>();
  for (const [index, { streamName }] of appends.entries()) {
    if (seen.has(streamName))
      throw fieldError(`appends[${index}].stream_name`, "is in an earlier append of this request");
    seen.add(streamName);
  }
}

function refuseRepeatedIds({ appends }: AppendRequest, pathOf: (appendIndex: number) => string): void {
  const seen = new Set<string>();
  for (const [appendIndex, { messages }] of appends.entries()) {
    for (const [messageIndex, { id }] of messages.entries()) {
      if (seen.has(id)) {
        throw fieldError(
          `${pathOf(appendIndex)}messages[${messageIndex}].id`,
          "is the id of an earlier message of this request",
        );
      }
      seen.add(id);
    }
  }
}
