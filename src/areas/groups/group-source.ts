import type { CallOptions } from "../../kernel/call-options.ts";
import type { NamespaceId } from "../../kernel/namespace-id.ts";
import type { StoredMessage, StreamStore } from "../streams/area.ts";
import type { ConsumerGroup, ConsumerGroupId } from "./domain/consumer-groups.ts";
import { groupNotFound } from "./group-not-found.ts";
import type { ConsumerGroupStore } from "./store/group-store.ts";

/** What is read of the streams for consumer groups. */
export interface GroupStreams extends Pick<StreamStore, "head" | "firstAt"> {
  /**
   * The messages at these global positions, ascending; those that are not there are left out. Ends before the message that
   * would take the sum of data and metadata beyond `maxBytes`; has at least one when there is one.
   */
  at(globalPositions: readonly bigint[], maxBytes: number, options: CallOptions): Promise<readonly StoredMessage[]>;
}

/** Where consumer groups and the messages they work on are kept. */
export interface GroupSource {
  consumerGroups(namespaceId: NamespaceId): ConsumerGroupStore;
  streams(namespaceId: NamespaceId): GroupStreams;
}

/** Returns a group. Throws GROUP_NOT_FOUND. */
export async function getGroup(
  store: Pick<ConsumerGroupStore, "get">,
  id: ConsumerGroupId,
  options: CallOptions,
): Promise<ConsumerGroup> {
  const group = await store.get(id, options);
  if (group === undefined) throw groupNotFound(id);
  return group;
}
