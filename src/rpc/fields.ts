import type { Duration, Timestamp } from "@bufbuild/protobuf/wkt";
import { type ConsumerGroupMember, consumerGroupProblem } from "../domain/consumer-group.ts";
import { type ConsumerGroupId, parseConsumerGroupId } from "../domain/consumer-groups.ts";
import { checkJson } from "../domain/json-text.ts";
import { type MessageId, newMessageId, parseMessageId } from "../domain/message-id.ts";
import { type NamespaceId, parseNamespaceId } from "../domain/namespace-id.ts";
import type { Role } from "../domain/role.ts";
import {
  type Category,
  categoryProblem,
  nameProblem,
  type StreamName,
  streamNameProblem,
  writableStreamNameProblem,
} from "../domain/stream-name.ts";
import { Role as WireRole } from "../gen/satchel/options/v1/access_pb.ts";
import type { Problems } from "./problems.ts";

// Each function takes a field apart, names the field's problems, and returns its value in the terms of the domain. The
// value of a field that has problems is never used: see Problems.

const DEFAULT_BATCH_SIZE = 1_000;
const DEFAULT_PAGE_SIZE = 100;
const MICROS_PER_SECOND = 1_000_000n;
const NANOS_PER_MICRO = 1_000;
/** 0001-01-01T00:00:00Z and 9999-12-31T23:59:59Z, the range of google.protobuf.Timestamp. */
const TIMESTAMP_SECONDS = { first: -62_135_596_800n, last: 253_402_300_799n };
/** The range of google.protobuf.Duration ends at 10,000 years. */
const MAX_DURATION_SECONDS = 315_576_000_000n;
const JSON_OBJECT = /^[ \t\n\r]*\{/;

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

/** The types of a filter; empty = all. */
export function messageTypes(types: readonly string[], field: string, problems: Problems): readonly string[] {
  for (const [index, type] of types.entries()) freeText(type, `${field}[${index}]`, problems);
  return types;
}

/** The id of a message; a new one when the field is empty. */
export function messageId(text: string, field: string, problems: Problems): MessageId {
  if (text === "") return newMessageId();
  const id = parseMessageId(text);
  if (id === undefined) problems.add(field, "must be a UUID with hyphens, or unset");
  return id ?? (text as MessageId);
}

/** JSON text; null when there is none. */
export function json(text: string | undefined, field: string, problems: Problems): string | null {
  if (text === undefined) return null;
  const { maxMessageBytes } = problems.limits;
  const bytes = Buffer.byteLength(text);
  if (bytes > maxMessageBytes) {
    problems.addExcess(field, "maxMessageBytes", bytes);
    return text;
  }
  const check = checkJson(text);
  if (!check.ok) problems.add(field, check.problem, "NOT_JSON");
  else if (check.maxBytes > maxMessageBytes) problems.addExcess(field, "maxMessageBytes", check.maxBytes);
  return text;
}

/** JSON text of an object; null when there is none. */
export function jsonObject(text: string | undefined, field: string, problems: Problems): string | null {
  if (text !== undefined && !JSON_OBJECT.test(text)) {
    problems.add(field, "must be a JSON object", "NOT_JSON");
    return text;
  }
  return json(text, field, problems);
}

/** A share of a consumer group; undefined when the field is unset. */
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

/** How many messages a page may have. */
export function batchSize(size: number): number {
  return size === 0 ? DEFAULT_BATCH_SIZE : size;
}

/** How many items a page of a list may have. */
export function pageSize(size: number): number {
  return size === 0 ? DEFAULT_PAGE_SIZE : size;
}

/** The id of a namespace. */
export function namespaceId(text: string, field: string, problems: Problems): NamespaceId {
  const id = parseNamespaceId(text);
  if (id === undefined) problems.add(field, "must match ^[a-z0-9][a-z0-9_-]{0,39}$");
  return id ?? (text as NamespaceId);
}

/** Text whose length the .proto bounds. */
export function freeText(text: string, field: string, problems: Problems): string {
  if (text.includes("\u0000")) problems.add(field, "must not contain NUL");
  else if (!text.isWellFormed()) problems.add(field, "must be well-formed Unicode (it has a lone surrogate)");
  return text;
}

/** The id of a consumer group. */
export function consumerGroupId(text: string, field: string, problems: Problems): ConsumerGroupId {
  const id = parseConsumerGroupId(text);
  if (id === undefined) problems.add(field, "must match ^[A-Za-z0-9][A-Za-z0-9._:-]{0,99}$");
  return id ?? (text as ConsumerGroupId);
}

/** A role. */
export function role(value: WireRole, field: string, problems: Problems): Role {
  const known = roleOf(value);
  if (known === undefined) problems.add(field, "must be ROLE_READER, ROLE_WRITER or ROLE_ADMIN");
  return known ?? "reader";
}

/** The role that a value of the .proto's enum means; undefined when it means none. */
export function roleOf(value: WireRole): Role | undefined {
  switch (value) {
    case WireRole.READER:
      return "reader";
    case WireRole.WRITER:
      return "writer";
    case WireRole.ADMIN:
      return "admin";
    default:
      return undefined;
  }
}

/** A moment in microseconds since 1970; what is between two microseconds counts as the later one. */
export function micros(
  { seconds, nanos }: Pick<Timestamp, "seconds" | "nanos">,
  field: string,
  problems: Problems,
): bigint {
  const outside = seconds < TIMESTAMP_SECONDS.first || seconds > TIMESTAMP_SECONDS.last;
  if (outside || nanos < 0 || nanos > 999_999_999) problems.add(field, "must be a time of the years 1 to 9999");
  return seconds * MICROS_PER_SECOND + BigInt(Math.ceil(nanos / NANOS_PER_MICRO));
}

/** A length of time in microseconds; what is between two microseconds counts as the longer one. */
export function duration(
  { seconds, nanos }: Pick<Duration, "seconds" | "nanos">,
  field: string,
  problems: Problems,
): bigint {
  if (seconds > MAX_DURATION_SECONDS || nanos < 0 || nanos > 999_999_999)
    problems.add(field, "must be a length of time of at most 10,000 years");
  return seconds * MICROS_PER_SECOND + BigInt(Math.ceil(nanos / NANOS_PER_MICRO));
}

function checked(
  text: string,
  problem: string | undefined,
  field: string,
  problems: Problems,
  reason?: Parameters<Problems["add"]>[2],
): string {
  if (problem !== undefined) problems.add(field, problem, reason);
  return text;
}
