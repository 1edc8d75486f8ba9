import type { Problems } from "../../kernel/rpc/problems.ts";
import { type ConsumerGroupId, parseConsumerGroupId } from "./domain/consumer-groups.ts";

/** The id of a consumer group. */
export function consumerGroupId(text: string, field: string, problems: Problems): ConsumerGroupId {
  const id = parseConsumerGroupId(text);
  if (id === undefined) problems.add(field, "must match ^[A-Za-z0-9][A-Za-z0-9._:-]{0,99}$");
  return id ?? (text as ConsumerGroupId);
}
