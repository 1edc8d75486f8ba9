import type { CallOptions } from "../../kernel/call-options.ts";
import { newPageToken, type PageTokenBinding } from "../../kernel/page-token.ts";
import { pageStart, type ListPage, type ListRequest } from "../../kernel/paging.ts";
import type { ServicePrincipal } from "../../kernel/principal.ts";
import { bytesOf, type StoredMessage } from "../streams/area.ts";
import { existingGroup, type GroupsContext, type GroupStreams } from "./context.ts";
import type { ConsumerGroupId } from "./domain/consumer-groups.ts";
import type { ParkedMessage } from "./store/group-store.ts";

/** A parked message with its content. */
export interface ParkedItem extends ParkedMessage {
  /** Undefined when it has been removed from its stream. */
  readonly message: StoredMessage | undefined;
}

/** The size of a parked message on the wire without its content: positions, times and framing. */
const OVERHEAD_BYTES = 50;

/** Lists parked messages by global position. Throws GROUP_NOT_FOUND, PAGE_TOKEN_INVALID. */
export async function listParkedMessages(
  { source, limits }: GroupsContext,
  { namespaceId }: ServicePrincipal,
  id: ConsumerGroupId,
  request: ListRequest,
  options: CallOptions,
): Promise<ListPage<ParkedItem>> {
  const binding: PageTokenBinding = ["parked-messages", namespaceId, id];
  const after = BigInt(pageStart(request, binding) ?? 0);
  const store = source.consumerGroups(namespaceId);
  await existingGroup(store, id, options);
  // One more than asked for tells whether another page follows.
  const found = await store.parked(id, { after, limit: request.pageSize + 1 }, options);
  const streams = source.streams(namespaceId);
  const items = await withMessages(found.slice(0, request.pageSize), streams, limits.maxPageBytes, options);
  const last = items.at(-1);
  const nextPageToken =
    last !== undefined && items.length < found.length ? newPageToken(String(last.position), binding) : "";
  return { items, nextPageToken };
}

/** Adds the messages to the entries, for as many entries as fit into a page, at least one. */
async function withMessages(
  entries: readonly ParkedMessage[],
  streams: Pick<GroupStreams, "at">,
  maxBytes: number,
  options: CallOptions,
): Promise<readonly ParkedItem[]> {
  const items: ParkedItem[] = [];
  let room = maxBytes;
  let rest = entries;
  while (rest.length > 0) {
    const positions = rest.map(({ position }) => position);
    const messages = await streams.at(positions, Math.max(1, room), options);
    // `at` returns at least one of the messages that exist: those missing before the last one it returned do not exist.
    const through = messages.at(-1)?.globalPosition;
    const known = through === undefined ? rest : rest.filter(({ position }) => position <= through);
    const byPosition = new Map(messages.map((message) => [message.globalPosition, message]));
    for (const entry of known) {
      const item = { ...entry, message: byPosition.get(entry.position) };
      room -= sizeOf(item);
      if (room < 0 && items.length > 0) return items;
      items.push(item);
    }
    rest = rest.slice(known.length);
  }
  return items;
}

function sizeOf({ message, reason }: ParkedItem): number {
  return OVERHEAD_BYTES + Buffer.byteLength(reason) + (message === undefined ? 0 : bytesOf(message));
}
