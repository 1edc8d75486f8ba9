import type { NamespaceId } from "../../../kernel/namespace-id.ts";
import { type PushStream, pushStream, type Receive } from "../../../kernel/push-stream.ts";
import type { CursorScope } from "../domain/cursor.ts";
import type { ReadFrame, ReadRequest } from "../domain/read-messages.ts";
import type { Feed } from "./feed.ts";
import { Follower } from "./follower.ts";
import { type ReadSource, resumable, startPosition } from "./read-frames.ts";

/** What a follow needs. */
export interface FollowContext {
  readonly feed: Pick<Feed, "follow">;
  readonly store: ReadSource;
  readonly namespaceId: NamespaceId;
  readonly signal: AbortSignal;
}

/**
 * Reads what there is, then follows. Throws SHUTTING_DOWN, with a cursor to resume from, and STORE_UNAVAILABLE; after that,
 * the cursor of the last frame resumes.
 */
export function followFrames(context: FollowContext, request: ReadRequest): PushStream<ReadFrame> {
  return pushStream((take) => pushFrames(context, request, take));
}

async function pushFrames(context: FollowContext, request: ReadRequest, take: Receive<ReadFrame>): Promise<void> {
  const { feed, store, namespaceId, signal } = context;
  using use = await feed.follow(namespaceId, request.selector);
  const scope: CursorScope = { namespaceId, selector: request.selector, types: request.types };
  const head = (await store.head(request.selector, { signal })) ?? -1n;
  const at = await startPosition(store, request, scope, head, signal);
  using follower = new Follower({ store, request, ...use, scope, at, head, take, signal });
  try {
    await follower.run();
  } catch (error) {
    throw resumable(error, follower.cursor);
  }
}
