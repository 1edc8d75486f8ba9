import type { Duration } from "@bufbuild/protobuf/wkt";
import type { SessionClient as WireClient } from "../../gen/satchel/v1/sessions_pb.ts";
import { wellFormed } from "../../kernel/rpc/fields.ts";
import { jsonObject } from "../../kernel/rpc/json-fields.ts";
import type { Problems } from "../../kernel/rpc/problems.ts";
import { parseMessageId } from "../../kernel/uuid.ts";
import { parseIpAddress } from "./domain/ip-address.ts";
import type { SessionClient } from "./new-session.ts";

// As fields.ts: each function takes a field apart, names its problems, and returns its value in the terms of the domain.

const MICROS_PER_SECOND = 1_000_000n;
const NANOS_PER_MICRO = 1_000;
const MAX_AMR = 10;

/** The longest texts, in characters. */
const CHARACTERS = {
  clientType: 64,
  clientVersion: 64,
  userAgent: 1_024,
  location: 255,
  deviceName: 255,
  amr: 64,
  requestId: 64,
  comment: 1_000,
} as const;

const NO_CLIENT: SessionClient = {
  clientType: "",
  clientVersion: "",
  userAgent: "",
  ipAddress: "",
  location: "",
  deviceName: "",
};

/** The id of a session. */
export function sessionId(text: string, field: string, problems: Problems): string {
  const id = parseMessageId(text);
  if (id === undefined) problems.add(field, "must be the id of a session, a UUID with hyphens");
  return id ?? text;
}

/** What a session is used with. */
export function client(value: WireClient | undefined, field: string, problems: Problems): SessionClient {
  if (value === undefined) return NO_CLIENT;
  const { ipAddress } = value;
  const address = ipAddress === "" ? "" : parseIpAddress(ipAddress);
  if (address === undefined) problems.add(`${field}.ip_address`, "must be an IPv4 or IPv6 address");
  return {
    clientType: shortText(value.clientType, "clientType", `${field}.client_type`, problems),
    clientVersion: shortText(value.clientVersion, "clientVersion", `${field}.client_version`, problems),
    userAgent: shortText(value.userAgent, "userAgent", `${field}.user_agent`, problems),
    ipAddress: address ?? "",
    location: shortText(value.location, "location", `${field}.location`, problems),
    deviceName: shortText(value.deviceName, "deviceName", `${field}.device_name`, problems),
  };
}

/** A text that is not for machines, of a length that its kind allows. */
export function shortText(text: string, kind: keyof typeof CHARACTERS, field: string, problems: Problems): string {
  const maximum = CHARACTERS[kind];
  const characters = text.length > maximum ? [...text].length : text.length;
  if (characters > maximum) problems.add(field, `must have at most ${maximum} characters, has ${characters}`);
  return wellFormed(text, field, problems);
}

/** The methods of an authentication, without repetitions. */
export function amr(methods: readonly string[], field: string, problems: Problems): readonly string[] {
  if (methods.length > MAX_AMR) problems.add(field, `must have at most ${MAX_AMR} items, has ${methods.length}`);
  for (const [index, method] of methods.slice(0, MAX_AMR).entries()) {
    if (method === "") problems.add(`${field}[${index}]`, "must not be empty");
    shortText(method, "amr", `${field}[${index}]`, problems);
  }
  return [...new Set(methods)];
}

/** The metadata of a session, a JSON object; null when there is none. */
export function metadata(text: string | undefined, field: string, problems: Problems): string | null {
  const bytes = text === undefined ? 0 : Buffer.byteLength(text);
  if (bytes > problems.limits.maxSessionMetadataBytes) {
    problems.addExcess(field, "maxSessionMetadataBytes", bytes);
    return null;
  }
  return jsonObject(text, field, problems);
}

/** A duration in microseconds, within bounds; undefined when the field is unset. */
export function duration(
  value: Duration | undefined,
  [least, most]: readonly [bigint, bigint],
  field: string,
  problems: Problems,
): bigint | undefined {
  if (value === undefined) return undefined;
  const micros = value.seconds * MICROS_PER_SECOND + BigInt(Math.trunc(value.nanos / NANOS_PER_MICRO));
  if (micros < least || micros > most) {
    problems.add(field, `must be from ${least / MICROS_PER_SECOND} to ${most / MICROS_PER_SECOND} seconds`);
    return least;
  }
  return micros;
}

/** A number that a version can be. */
export function version(value: bigint | undefined, field: string, problems: Problems): number | undefined {
  if (value === undefined) return undefined;
  if (value < 0n || value > BigInt(Number.MAX_SAFE_INTEGER)) problems.add(field, "must be a version");
  return Number(value);
}
