import { checked, wellFormed } from "../../kernel/rpc/fields.ts";
import type { Problems } from "../../kernel/rpc/problems.ts";
import { type Uuid, newUuid, parseUuid } from "../../kernel/uuid.ts";
import { type ConsumerGroupMember, consumerGroupProblem } from "./domain/group-member.ts";
import {
  type Category,
  categoryProblem,
  nameProblem,
  type StreamName,
  streamNameProblem,
  writableStreamNameProblem,
} from "./domain/stream-name.ts";

const DEFAULT_BATCH_SIZE = 1_000;

/** The name of a stream that may be read. */
export function streamName(text: string, field: string, problems: Problems): StreamName {
  return checked(text, streamNameProblem(text), field, problems, "STREAM_NAME_INVALID") as StreamName;
}

/** The name of a stream that may be written to. */
export function writableStreamName(text: string, field: string, problems: Problems): StreamName {
  return checked(text, writableStreamNameProblem(text), field, problems, "STREAM_NAME_INVALID") as StreamName;
}

/** The name of a category. */
export function category(text: string, field: string, problems: Problems): Category {
  return checked(text, categoryProblem(text), field, problems, "NOT_A_CATEGORY") as Category;
}

/** The name of a category, or undefined when the field is empty. */
export function optionalCategory(text: string, field: string, problems: Problems): Category | undefined {
  return text === "" ? undefined : category(text, field, problems);
}

/** The type of a message. */
export function messageType(text: string, field: string, problems: Problems): string {
  return checked(text, nameProblem(text), field, problems);
}

/** The message types of a filter; empty = all. */
export function messageTypes(types: readonly string[], field: string, problems: Problems): readonly string[] {
  for (const [index, type] of types.entries()) wellFormed(type, `${field}[${index}]`, problems);
  return types;
}

/** The id of a message; a new one when the field is empty. */
export function messageId(text: string, field: string, problems: Problems): Uuid {
  if (text === "") return newUuid();
  const id = parseUuid(text);
  if (id === undefined) problems.add(field, "must be a UUID with hyphens, or unset");
  return id ?? (text as Uuid);
}

/** A member of a consumer group; undefined when the field is unset. */
export function consumerGroup(
  group: ConsumerGroupMember | undefined,
  field: string,
  problems: Problems,
): ConsumerGroupMember | undefined {
  if (group === undefined) return undefined;
  const { member, size } = group;
  const problem = consumerGroupProblem({ member, size });
  if (problem !== undefined) problems.add(field, problem, "CONSUMER_GROUP_INVALID");
  return { member, size };
}

/** The number of messages of a page. */
export function batchSize(size: number): number {
  return size === 0 ? DEFAULT_BATCH_SIZE : size;
}
