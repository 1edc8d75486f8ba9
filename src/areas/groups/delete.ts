import type { ServicePrincipal } from "../../kernel/principal.ts";
import type { GroupsContext } from "./context.ts";
import type { ConsumerGroupId } from "./domain/consumer-groups.ts";
import { groupNotFound } from "./group-not-found.ts";

/** Deletes a group, its checkpoints and its parked messages. Throws GROUP_NOT_FOUND. */
export async function deleteConsumerGroup(
  { source, consumers }: GroupsContext,
  { namespaceId }: ServicePrincipal,
  id: ConsumerGroupId,
): Promise<void> {
  if (!(await source.consumerGroups(namespaceId).delete(id))) throw groupNotFound(id);
  consumers.changed(namespaceId, id);
}
