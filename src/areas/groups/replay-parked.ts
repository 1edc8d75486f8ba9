import type { CallOptions } from "../../kernel/call-options.ts";
import type { ServicePrincipal } from "../../kernel/principal.ts";
import { existingGroup, type GroupsContext } from "./context.ts";
import type { ConsumerGroupId } from "./domain/consumer-groups.ts";
import type { ParkedSelection } from "./store/group-store.ts";

/** Has parked messages delivered again; returns how many were not waiting for that already. Throws GROUP_NOT_FOUND. */
export async function replayParkedMessages(
  { source, consumers }: GroupsContext,
  { namespaceId }: ServicePrincipal,
  id: ConsumerGroupId,
  selection: ParkedSelection,
  options: CallOptions,
): Promise<bigint> {
  const store = source.consumerGroups(namespaceId);
  await existingGroup(store, id, options);
  const count = await store.markReplaying(id, selection);
  consumers.changed(namespaceId, id);
  return count;
}
