import type { CallOptions } from "../../kernel/call-options.ts";
import type { ServicePrincipal } from "../../kernel/principal.ts";
import type { Store } from "../../kernel/store/store.ts";
import type { ReadFrame, ReadRequest } from "./domain/read-messages.ts";
import type { Feed } from "./feed/feed.ts";
import { followFrames } from "./feed/follow-frames.ts";
import { readFrames } from "./feed/read-frames.ts";
import { streamStore } from "./store/stores.ts";

/** The use case of ReadMessages. */
export class MessageReader {
  readonly #store: Store;
  readonly #feed: Feed;

  constructor(store: Store, feed: Feed) {
    this.#store = store;
    this.#feed = feed;
  }

  /** Reads everything up to the end as it is now, or follows. Throws PAGE_TOKEN_INVALID, SHUTTING_DOWN. */
  read({ namespaceId }: ServicePrincipal, request: ReadRequest, options: CallOptions): AsyncIterable<ReadFrame> {
    const store = streamStore(this.#store.engine, namespaceId);
    if (!request.follow) return readFrames(store, namespaceId, request, options);
    const signal = options.signal ?? new AbortController().signal;
    return followFrames({ feed: this.#feed, store, namespaceId, signal }, request);
  }
}
