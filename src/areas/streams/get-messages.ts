import type { CallOptions } from "../../kernel/call-options.ts";
import { nextTurn } from "../../kernel/next-turn.ts";
import type { ServicePrincipal } from "../../kernel/principal.ts";
import type { StreamsContext } from "./context.ts";
import { MAX_POSITION, type Selector, type StoredMessage } from "./domain/message.ts";
import { PageBuilder } from "./page-builder.ts";
import { streamStore } from "./store/stores.ts";

/** Which page of a stream or category to return. */
export interface PageRequest {
  readonly selector: Selector;
  /** The first position, inclusive; undefined = where the direction begins. */
  readonly position: bigint | undefined;
  readonly batchSize: number;
  readonly backwards: boolean;
  /** Only these types; empty = all. */
  readonly types: readonly string[];
}

/** A page of messages. */
export interface MessagePage {
  readonly messages: readonly StoredMessage[];
  /** True when at least one more message matches beyond this page. */
  readonly hasMore: boolean;
}

/** Returns one page of a stream or a category, for GetStreamMessages and GetCategoryMessages. */
export async function getMessages(
  { store, limits }: Pick<StreamsContext, "store" | "limits">,
  { namespaceId }: ServicePrincipal,
  request: PageRequest,
  { signal }: CallOptions,
): Promise<MessagePage> {
  const { selector, backwards, types } = request;
  const streams = streamStore(store.engine, namespaceId);
  const page = new PageBuilder(request.batchSize, limits.maxPageBytes);
  let from: bigint | undefined = startOf(request);
  while (from !== undefined) {
    // One message more than there is room for tells whether there are more.
    const bounds = { limit: page.roomForMessages + 1, maxBytes: page.roomForBytes };
    const part = await streams.page({ selector, from, backwards, types, ...bounds }, { signal });
    if (!page.add(part.messages)) return { messages: page.messages, hasMore: true };
    from = part.next;
    if (from !== undefined) await nextTurn(signal);
  }
  return { messages: page.messages, hasMore: false };
}

function startOf({ position, backwards }: PageRequest): bigint {
  if (position === undefined) return backwards ? MAX_POSITION : 0n;
  return position < 0n ? 0n : position;
}
