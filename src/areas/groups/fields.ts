import { checked } from "../../kernel/rpc/fields.ts";
import type { Problems } from "../../kernel/rpc/problems.ts";
import { nameProblem } from "../streams/domain/stream-name.ts";
import { type ConsumerGroupId, parseConsumerGroupId } from "./domain/consumer-groups.ts";

/** The id of a consumer group. */
export function consumerGroupId(text: string, field: string, problems: Problems): ConsumerGroupId {
  const id = parseConsumerGroupId(text);
  if (id === undefined) problems.add(field, "must match ^[A-Za-z0-9][A-Za-z0-9._:-]{0,99}$");
  return id ?? (text as ConsumerGroupId);
}

/** What a member of a consumer group calls itself; empty = nothing. */
export function memberName(text: string, field: string, problems: Problems): string {
  return text === "" ? text : checked(text, nameProblem(text), field, problems);
}

/** Global positions of messages to settle. */
export function positions(list: readonly bigint[], field: string, problems: Problems): readonly bigint[] {
  if (list.length > problems.limits.maxSettledMessages) problems.addExcess(field, "maxSettledMessages", list.length);
  return list;
}
