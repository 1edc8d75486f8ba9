import type { CallOptions } from "../../kernel/call-options.ts";
import type { ServicePrincipal } from "../../kernel/principal.ts";
import { existingGroup, type GroupsContext } from "./context.ts";
import type { ConsumerGroupId } from "./domain/consumer-groups.ts";
import type { GroupStart } from "./domain/group-settings.ts";
import { groupNotFound } from "./group-not-found.ts";
import { positionBefore } from "./position-before.ts";

/** Moves a group; returns the global position, inclusive, from which it continues. Throws GROUP_NOT_FOUND. */
export async function resetConsumerGroup(
  { source, consumers }: GroupsContext,
  { namespaceId }: ServicePrincipal,
  id: ConsumerGroupId,
  start: GroupStart,
  options: CallOptions,
): Promise<bigint> {
  const store = source.consumerGroups(namespaceId);
  const { category } = await existingGroup(store, id, options);
  const readTo = await positionBefore(source.streams(namespaceId), category, start, options);
  if (!(await store.reset(id, readTo))) throw groupNotFound(id);
  consumers.changed(namespaceId, id);
  return readTo + 1n;
}
