import type { CallOptions } from "../../kernel/call-options.ts";
import type { Limits } from "../../kernel/limits.ts";
import { newPageToken, type PageTokenBinding } from "../../kernel/page-token.ts";
import { pageStart, type ListPage, type ListRequest } from "../../kernel/paging.ts";
import type { ServicePrincipal } from "../../kernel/principal.ts";
import { bytesOf, type StoredMessage } from "../streams/area.ts";
import type { GroupRuntime } from "./consumer-groups.ts";
import type { ConsumerGroupId } from "./domain/consumer-groups.ts";
import { getGroup, type GroupSource, type GroupStreams } from "./group-source.ts";
import type { ParkedMessage, ParkedSelection } from "./store/group-store.ts";

export type { ParkedSelection };

/** A parked message with its content. */
export interface ParkedItem extends ParkedMessage {
  /** Undefined when it has been removed from its stream. */
  readonly message: StoredMessage | undefined;
}

/** What a parked message takes beside its content: positions, times and framing. */
const OVERHEAD_BYTES = 50;

/** The messages that the consumer groups of the caller's namespace have put aside. */
export class ParkedMessages {
  readonly #source: GroupSource;
  readonly #runtime: Pick<GroupRuntime, "changed">;
  readonly #limits: Limits;

  constructor(source: GroupSource, runtime: Pick<GroupRuntime, "changed">, limits: Limits) {
    this.#source = source;
    this.#runtime = runtime;
    this.#limits = limits;
  }

  /** Lists parked messages by global position. Throws GROUP_NOT_FOUND, PAGE_TOKEN_INVALID. */
  async list(
    { namespaceId }: ServicePrincipal,
    id: ConsumerGroupId,
    request: ListRequest,
    options: CallOptions,
  ): Promise<ListPage<ParkedItem>> {
    const binding: PageTokenBinding = ["parked-messages", namespaceId, id];
    const after = BigInt(pageStart(request, binding) ?? 0);
    const store = this.#source.consumerGroups(namespaceId);
    await getGroup(store, id, options);
    // One more than asked for tells whether another page follows.
    const found = await store.parked(id, { after, limit: request.pageSize + 1 }, options);
    const streams = this.#source.streams(namespaceId);
    const items = await withMessages(found.slice(0, request.pageSize), streams, this.#limits.maxPageBytes, options);
    const last = items.at(-1);
    const nextPageToken =
      last !== undefined && items.length < found.length ? newPageToken(String(last.position), binding) : "";
    return { items, nextPageToken };
  }

  /** Has parked messages delivered again; returns how many were not waiting for that yet. Throws GROUP_NOT_FOUND. */
  async replay(
    { namespaceId }: ServicePrincipal,
    id: ConsumerGroupId,
    selection: ParkedSelection,
    options: CallOptions,
  ): Promise<bigint> {
    const store = this.#source.consumerGroups(namespaceId);
    await getGroup(store, id, options);
    const count = await store.markReplaying(id, selection);
    this.#runtime.changed(namespaceId, id);
    return count;
  }

  /** Forgets parked messages; returns how many. Throws GROUP_NOT_FOUND. */
  async delete(
    { namespaceId }: ServicePrincipal,
    id: ConsumerGroupId,
    selection: ParkedSelection,
    options: CallOptions,
  ): Promise<bigint> {
    const store = this.#source.consumerGroups(namespaceId);
    await getGroup(store, id, options);
    return store.deleteParked(id, selection);
  }
}

/** Adds the messages to as many of the entries as have room in a page, at least one. */
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
    // No answer is empty while one of the messages is there: up to the last of them, what is missing is gone.
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
