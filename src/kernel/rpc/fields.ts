import { Role as WireRole } from "../../gen/satchel/options/v1/access_pb.ts";
import { type NamespaceId, parseNamespaceId } from "../namespace-id.ts";
import type { Role } from "../role.ts";
import type { Problems } from "./problems.ts";

// Each function takes a field apart, names the field's problems, and returns its value in the terms of the domain. The
// value of a field that has problems is never used: see Problems.

const DEFAULT_PAGE_SIZE = 100;

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
  return wellFormed(text, field, problems);
}

/** The id of a device, or undefined when the field is empty. */
export function deviceId(text: string, field: string, problems: Problems): string | undefined {
  return text === "" ? undefined : wellFormed(text, field, problems);
}

/** Text without NUL and lone surrogates; the .proto bounds its length. */
export function wellFormed(text: string, field: string, problems: Problems): string {
  if (text.includes("\u0000")) problems.add(field, "must not contain NUL");
  else if (!text.isWellFormed()) problems.add(field, "must be well-formed Unicode (it has a lone surrogate)");
  return text;
}
