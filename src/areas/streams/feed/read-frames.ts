import type { CallOptions } from "../../../kernel/call-options.ts";
import { fieldError, SatchelError } from "../../../kernel/errors.ts";
import type { NamespaceId } from "../../../kernel/namespace-id.ts";
import { nextTurn } from "../../../kernel/next-turn.ts";
import { type CursorScope, newCursor, parseCursor } from "../domain/cursor.ts";
import { positionOf } from "../domain/message-filter.ts";
import type { Page, StoredMessage } from "../domain/message.ts";
import type { ReadFrame, ReadRequest } from "../domain/read-messages.ts";
import type { StreamStore } from "../store/stream-store.ts";

const MAX_FRAME_MESSAGES = 1_000;
/** At most this many bytes of data and metadata are in a frame of several messages. */
export const MAX_FRAME_BYTES = 256 * 1024;

/** What a read needs of the store. */
export type ReadSource = Pick<StreamStore, "page" | "head" | "firstAt">;

/** Reads everything up to the end as it is now, in frames of bounded size. */
export async function* readFrames(
  store: ReadSource,
  namespaceId: NamespaceId,
  request: ReadRequest,
  { signal }: CallOptions,
): AsyncGenerator<ReadFrame> {
  const scope: CursorScope = { namespaceId, selector: request.selector, types: request.types };
  const head = (await store.head(request.selector, { signal })) ?? -1n;
  let at = await startPosition(store, request, scope, head, signal);
  let left = request.limit;
  try {
    for await (const messages of pages(store, request, at, head, signal)) {
      at = positionOf(request.selector, messages.at(-1)!) + 1n;
      yield { kind: "messages", messages, cursor: newCursor(at, scope) };
      if (left !== undefined && (left -= BigInt(messages.length)) <= 0n) return;
    }
  } catch (error) {
    throw resumable(error, newCursor(at, scope));
  }
  const position = at > head ? at : head + 1n;
  yield { kind: "caught-up", cursor: newCursor(position, scope), position };
}

/** The pages of a read, without empty ones. The next page is fetched while the caller works on the last one. */
export async function* pages(
  store: ReadSource,
  { selector, types, limit }: ReadRequest,
  from: bigint,
  head: bigint,
  signal: AbortSignal | undefined,
): AsyncGenerator<readonly StoredMessage[]> {
  const abandoned = new AbortController();
  const either = signal === undefined ? abandoned.signal : AbortSignal.any([signal, abandoned.signal]);
  let left = limit ?? BigInt(Number.MAX_SAFE_INTEGER);

  const fetch = (position: bigint): Promise<Page> => {
    const room = left < BigInt(MAX_FRAME_MESSAGES) ? Number(left) : MAX_FRAME_MESSAGES;
    const query = { selector, from: position, until: head, types, limit: room, maxBytes: MAX_FRAME_BYTES };
    const page = nextTurn(either).then(() => store.page(query, { signal: either }));
    // It may fail while the caller is still busy with the page before. The caller sees the failure when it awaits the page.
    page.catch(() => {});
    return page;
  };

  try {
    let pending = from > head ? undefined : fetch(from);
    while (pending !== undefined) {
      const { messages, next } = await pending;
      left -= BigInt(messages.length);
      pending = next === undefined || next > head || left <= 0n ? undefined : fetch(next);
      if (messages.length > 0) yield messages;
      signal?.throwIfAborted();
    }
  } finally {
    abandoned.abort(new SatchelError("CANCELLED", "the read was abandoned"));
  }
}

/** The position at which a read begins. Throws PAGE_TOKEN_INVALID. */
export async function startPosition(
  store: ReadSource,
  { selector, start }: ReadRequest,
  scope: CursorScope,
  head: bigint,
  signal: AbortSignal | undefined,
): Promise<bigint> {
  switch (start.kind) {
    case "beginning":
      return 0n;
    case "end":
      return head + 1n;
    case "position":
      return start.position < 0n ? 0n : start.position;
    case "time":
      return (await store.firstAt(selector, start.timeMicros, { signal })) ?? head + 1n;
    case "cursor": {
      const position = parseCursor(start.cursor, scope);
      if (position !== undefined) return position;
      throw fieldError(
        "cursor",
        "is not a cursor that a read of the same selector and filters has given out",
        "PAGE_TOKEN_INVALID",
      );
    }
  }
}

/** Adds to SHUTTING_DOWN the cursor from which to resume; other errors come back as they are. */
export function resumable(error: unknown, cursor: string): unknown {
  if (!(error instanceof SatchelError) || error.reason !== "SHUTTING_DOWN") return error;
  const { message, retryAfterMs, cause } = error;
  const options = { metadata: { cursor }, cause, ...(retryAfterMs === undefined ? {} : { retryAfterMs }) };
  return new SatchelError("SHUTTING_DOWN", message, options);
}
