import { Role as WireRole } from "../../gen/satchel/options/v1/access_pb.ts";
import type { LimitName } from "../limits.ts";
import { type NamespaceId, parseNamespaceId } from "../namespace-id.ts";
import type { Role } from "../role.ts";
import type { Problems } from "./problems.ts";

// Each function takes a field apart, names the field's problems, and returns its value in the terms of the domain. The
// value of a field that has problems is never used: see Problems.

const DEFAULT_PAGE_SIZE = 100;

/** How many items a page of a list may have. */
export function pageSize(size: number, field: string, problems: Problems): number {
  return count(size, DEFAULT_PAGE_SIZE, "maxPageSize", field, problems);
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

/** A text that is named by its problem, if it has one. */
export function checked(
  text: string,
  problem: string | undefined,
  field: string,
  problems: Problems,
  reason?: Parameters<Problems["add"]>[2],
): string {
  if (problem !== undefined) problems.add(field, problem, reason);
  return text;
}

/** The id of a user, or undefined when the field is empty. */
export function optionalUserId(text: string, field: string, problems: Problems): string | undefined {
  return text === "" ? undefined : userId(text, field, problems);
}

/** The id of a user. */
export function userId(text: string, field: string, problems: Problems): string {
  if (text === "") problems.add(field, "must not be empty");
  const characters = text.length > problems.limits.maxUserIdCharacters ? [...text].length : text.length;
  if (characters > problems.limits.maxUserIdCharacters) problems.addExcess(field, "maxUserIdCharacters", characters);
  return wellFormed(text, field, problems);
}

/** The id of a device, or undefined when the field is empty. */
export function deviceId(text: string, field: string, problems: Problems): string | undefined {
  const bytes = Buffer.byteLength(text);
  if (bytes > problems.limits.maxDeviceIdBytes) problems.addExcess(field, "maxDeviceIdBytes", bytes);
  return text === "" ? undefined : wellFormed(text, field, problems);
}

/** Text without NUL and lone surrogates. */
export function wellFormed(text: string, field: string, problems: Problems): string {
  if (text.includes("\u0000")) problems.add(field, "must not contain NUL");
  else if (!text.isWellFormed()) problems.add(field, "must be well-formed Unicode (it has a lone surrogate)");
  return text;
}
