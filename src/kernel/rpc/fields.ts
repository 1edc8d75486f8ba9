import type { Duration, Timestamp } from "@bufbuild/protobuf/wkt";
import { type ConsumerGroupId, parseConsumerGroupId } from "../../areas/groups/domain/consumer-groups.ts";
import { type ConsumerGroupMember, consumerGroupProblem } from "../../areas/streams/domain/group-member.ts";
import { checkJson } from "../../areas/streams/domain/json-text.ts";
import {
  type Category,
  categoryProblem,
  nameProblem,
  type StreamName,
  streamNameProblem,
  writableStreamNameProblem,
} from "../../areas/streams/domain/stream-name.ts";
import { Role as WireRole } from "../../gen/satchel/options/v1/access_pb.ts";
import type { LimitName } from "../limits.ts";
import { type NamespaceId, parseNamespaceId } from "../namespace-id.ts";
import type { Role } from "../role.ts";
import { type MessageId, newMessageId, parseMessageId } from "../uuid.ts";
import type { Problems } from "./problems.ts";

// Each function takes a field apart, names the field's problems, and returns its value in the terms of the domain. The
// value of a field that has problems is never used: see Problems.

const DEFAULT_BATCH_SIZE = 1_000;
const DEFAULT_PAGE_SIZE = 100;
const MICROS_PER_SECOND = 1_000_000n;
const NANOS_PER_MICRO = 1_000;
/** 0001-01-01T00:00:00Z and 9999-12-31T23:59:59Z, the range of google.protobuf.Timestamp. */
const TIMESTAMP_SECONDS = { first: -62_135_596_800n, last: 253_402_300_799n };
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
  const { maxTypes } = problems.limits;
  if (types.length > maxTypes) problems.addExcess(field, "maxTypes", types.length);
  else for (const [index, type] of types.entries()) messageType(type, `${field}[${index}]`, problems);
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
export function batchSize(size: number, field: string, problems: Problems): number {
  return count(size, DEFAULT_BATCH_SIZE, "maxBatchSize", field, problems);
}

/** How many items a page of a list may have. */
export function pageSize(size: number, field: string, problems: Problems): number {
  return count(size, DEFAULT_PAGE_SIZE, "maxPageSize", field, problems);
}

/** The beginning of a name. */
export function prefix(text: string, field: string, problems: Problems): string {
  return text === "" ? text : checked(text, nameProblem(text), field, problems);
}

/** The id of a namespace. */
export function namespaceId(text: string, field: string, problems: Problems): NamespaceId {
  const id = parseNamespaceId(text);
  if (id === undefined) problems.add(field, "must match ^[a-z0-9][a-z0-9_-]{0,39}$");
  return id ?? (text as NamespaceId);
}

/** Free text for the operator. */
export function description(text: string, field: string, problems: Problems): string {
  return freeText(text, "maxDescriptionCharacters", field, problems);
}

/** Free text. */
export function freeText(text: string, limit: LimitName, field: string, problems: Problems): string {
  const characters = text.length > problems.limits[limit] ? [...text].length : text.length;
  if (characters > problems.limits[limit]) problems.addExcess(field, limit, characters);
  else if (text.includes("\u0000")) problems.add(field, "must not contain NUL");
  else if (!text.isWellFormed()) problems.add(field, "must be well-formed Unicode (it has a lone surrogate)");
  return text;
}

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
  { minimum, maximum }: { readonly minimum: bigint; readonly maximum: bigint },
  field: string,
  problems: Problems,
): bigint {
  const micros = seconds * MICROS_PER_SECOND + BigInt(Math.ceil(nanos / NANOS_PER_MICRO));
  if (nanos < 0 || nanos > 999_999_999 || micros < minimum || micros > maximum) {
    const [least, most] = [minimum / MICROS_PER_SECOND, maximum / MICROS_PER_SECOND];
    problems.add(field, `must be ${least} to ${most} seconds`);
  }
  return micros;
}

/** A number within bounds, or what it is when it is unset. */
export function within(
  value: number,
  { unset, minimum, maximum }: { readonly unset: number; readonly minimum: number; readonly maximum: number },
  field: string,
  problems: Problems,
): number {
  if (value === 0) return unset;
  if (value < minimum || value > maximum) problems.add(field, `must be ${minimum} to ${maximum}, is ${value}`);
  return value;
}

/** How many of something a request wants, up to a limit. */
export function count(size: number, unset: number, limit: LimitName, field: string, problems: Problems): number {
  if (size > problems.limits[limit]) problems.addExcess(field, limit, size);
  return size === 0 ? Math.min(unset, problems.limits[limit]) : size;
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
