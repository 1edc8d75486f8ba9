import type { CallOptions } from "../../kernel/call-options.ts";
import type { Clock } from "../../kernel/clock.ts";
import type { Limits } from "../../kernel/limits.ts";
import type { NamespaceId } from "../../kernel/namespace-id.ts";
import type { StoredMessage, StreamStore } from "../streams/area.ts";
import type { Consumers } from "./delivery/consumers.ts";
import type { ConsumerGroup, ConsumerGroupId } from "./domain/consumer-groups.ts";
import { groupNotFound } from "./group-not-found.ts";
import type { ConsumerGroupStore } from "./store/group-store.ts";

/** What consumer groups read of the streams. */
export interface GroupStreams extends Pick<StreamStore, "head" | "firstAt"> {
  /**
   * The messages at these global positions, ascending; those that no longer exist are left out. Ends before the message
   * that would take the sum of data and metadata beyond `maxBytes`; has at least one message when there is one.
   */
  at(globalPositions: readonly bigint[], maxBytes: number, options: CallOptions): Promise<readonly StoredMessage[]>;
}

/** The stores of consumer groups and of the messages that they deliver. */
export interface GroupSource {
  consumerGroups(namespaceId: NamespaceId): ConsumerGroupStore;
  streams(namespaceId: NamespaceId): GroupStreams;
}

/** What the use cases of the area work with. */
export interface GroupsContext {
  readonly source: GroupSource;
  /** Tells the members of a group, in every process, that it has changed. */
  readonly consumers: Pick<Consumers, "changed">;
  readonly limits: Limits;
  readonly clock: Clock;
}

/** Returns a group. Throws GROUP_NOT_FOUND. */
export async function existingGroup(
  store: Pick<ConsumerGroupStore, "get">,
  id: ConsumerGroupId,
  options: CallOptions,
): Promise<ConsumerGroup> {
  const group = await store.get(id, options);
  if (group === undefined) throw groupNotFound(id);
  return group;
}
