import type { CallOptions } from "../../kernel/call-options.ts";
import type { ServicePrincipal } from "../../kernel/principal.ts";
import { existingGroup, type GroupsContext } from "./context.ts";
import type { ConsumerGroupId } from "./domain/consumer-groups.ts";
import type { ParkedSelection } from "./store/group-store.ts";

/** Deletes parked messages, which stay in their streams; returns how many. Throws GROUP_NOT_FOUND. */
export async function deleteParkedMessages(
  { source }: GroupsContext,
  { namespaceId }: ServicePrincipal,
  id: ConsumerGroupId,
  selection: ParkedSelection,
  options: CallOptions,
): Promise<bigint> {
  const store = source.consumerGroups(namespaceId);
  await existingGroup(store, id, options);
  return store.deleteParked(id, selection);
}
