import type { Duration } from "@bufbuild/protobuf/wkt";
import type { SessionClient as WireClient } from "../../gen/satchel/v1/sessions_pb.ts";
import { wellFormed } from "../../kernel/rpc/fields.ts";
import type { Problems } from "../../kernel/rpc/problems.ts";
import { parseUuid } from "../../kernel/uuid.ts";
import { parseIpAddress } from "./domain/ip-address.ts";
import type { SessionClient } from "./new-session.ts";

// As fields.ts: each function takes a field apart, names its problems, and returns its value in the terms of the domain.

const MICROS_PER_SECOND = 1_000_000n;
const NANOS_PER_MICRO = 1_000;

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
  const id = parseUuid(text);
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
    clientType: wellFormed(value.clientType, `${field}.client_type`, problems),
    clientVersion: wellFormed(value.clientVersion, `${field}.client_version`, problems),
    userAgent: wellFormed(value.userAgent, `${field}.user_agent`, problems),
    ipAddress: address ?? "",
    location: wellFormed(value.location, `${field}.location`, problems),
    deviceName: wellFormed(value.deviceName, `${field}.device_name`, problems),
  };
}

/** The methods of an authentication, without repetitions. */
export function amr(methods: readonly string[], field: string, problems: Problems): readonly string[] {
  for (const [index, method] of methods.entries()) wellFormed(method, `${field}[${index}]`, problems);
  return [...new Set(methods)];
}

/** A duration in microseconds; undefined when the field is unset. */
export function duration(value: Duration | undefined, field: string, problems: Problems): bigint | undefined {
  if (value === undefined) return undefined;
  const { seconds, nanos } = value;
  if (nanos < 0 || nanos > 999_999_999) problems.add(field, "must be a length of time");
  return seconds * MICROS_PER_SECOND + BigInt(Math.trunc(nanos / NANOS_PER_MICRO));
}

/** A number that a version can be. */
export function version(value: bigint | undefined): number | undefined {
  return value === undefined ? undefined : Number(value);
}
