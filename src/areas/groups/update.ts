import type { CallOptions } from "../../kernel/call-options.ts";
import type { ServicePrincipal } from "../../kernel/principal.ts";
import { existingGroup, type GroupsContext } from "./context.ts";
import type { ConsumerGroup, ConsumerGroupId, GroupSettings } from "./domain/consumer-groups.ts";
import { groupNotFound } from "./group-not-found.ts";

/** Changes settings of a group. Throws GROUP_NOT_FOUND. */
export async function updateConsumerGroup(
  { source, consumers, clock }: GroupsContext,
  { namespaceId }: ServicePrincipal,
  id: ConsumerGroupId,
  changes: Partial<GroupSettings>,
  options: CallOptions,
): Promise<ConsumerGroup> {
  const store = source.consumerGroups(namespaceId);
  if (!(await store.update(id, changes, clock()))) throw groupNotFound(id);
  consumers.changed(namespaceId, id);
  return existingGroup(store, id, options);
}
