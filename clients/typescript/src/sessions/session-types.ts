import { fromJsonText, type JsonOptions } from "../core/json.ts";
import { dateOf, optionalDate, present } from "../core/wire-conversions.ts";
import {
  AddressPolicy as WireAddressPolicy,
  SessionEndReason,
  SessionEviction,
  SessionRefusal,
  SessionStatus as WireStatus,
} from "../gen/satchel/v1/sessions_pb.ts";
import type * as wire from "../gen/satchel/v1/sessions_pb.ts";

/** Whether a session can be used. */
export type SessionStatus = "active" | "expired" | "revoked";

/** Why a session ended before its expiry. */
export type SessionEnd = "revoked" | "evicted" | "refresh-reuse" | "device-forgotten";

/** Why a token is refused. */
export type TokenRefusal =
  | "not-found"
  | "expired"
  | "revoked"
  | "token-superseded"
  | "token-expired"
  | "aal-too-low"
  | "authentication-too-old";

/** The client software and device that use a session. */
export interface SessionUse {
  readonly clientType?: string | undefined;
  readonly clientVersion?: string | undefined;
  readonly userAgent?: string | undefined;
  readonly ipAddress?: string | undefined;
  readonly location?: string | undefined;
  readonly deviceName?: string | undefined;
}

/** A session, without its token. */
export interface LoginSession {
  readonly sessionId: string;
  readonly userId: string;
  readonly deviceId: string | undefined;
  readonly status: SessionStatus;
  readonly client: SessionUse;
  /** The authentication assurance level, 1 to 3. */
  readonly aal: number;
  readonly amr: readonly string[];
  readonly createTime: Date;
  readonly authenticateTime: Date;
  readonly lastActivityTime: Date;
  readonly idleExpireTime: Date;
  readonly absoluteExpireTime: Date;
  /** When its token must be refreshed; undefined: never. */
  readonly tokenExpireTime: Date | undefined;
  readonly endTime: Date | undefined;
  readonly endReason: SessionEnd | undefined;
  readonly endComment: string;
  /** Who acts as the user; undefined unless this is an impersonation. */
  readonly actorId: string | undefined;
  readonly impersonationReason: string;
  /** JSON text of an object. */
  readonly metadata: string | undefined;
  readonly version: bigint;
  /** Parses `metadata`; undefined when there is none. */
  metadataJson(options?: JsonOptions): unknown;
}

/** A device of a user. */
export interface UserDevice {
  readonly deviceId: string;
  readonly firstSeenTime: Date;
  readonly lastSeenTime: Date;
  readonly client: SessionUse;
  readonly activeSessionCount: bigint;
}

export const STATUSES = {
  active: WireStatus.ACTIVE,
  expired: WireStatus.EXPIRED,
  revoked: WireStatus.REVOKED,
} as const satisfies Record<SessionStatus, WireStatus>;

export const ENDS = {
  revoked: SessionEndReason.REVOKED,
  evicted: SessionEndReason.EVICTED,
  "refresh-reuse": SessionEndReason.REFRESH_REUSE,
  "device-forgotten": SessionEndReason.DEVICE_FORGOTTEN,
} as const satisfies Record<SessionEnd, SessionEndReason>;

export const REFUSALS = {
  "not-found": SessionRefusal.NOT_FOUND,
  expired: SessionRefusal.EXPIRED,
  revoked: SessionRefusal.REVOKED,
  "token-superseded": SessionRefusal.TOKEN_SUPERSEDED,
  "token-expired": SessionRefusal.TOKEN_EXPIRED,
  "aal-too-low": SessionRefusal.AAL_TOO_LOW,
  "authentication-too-old": SessionRefusal.AUTHENTICATION_TOO_OLD,
} as const satisfies Record<TokenRefusal, SessionRefusal>;

export const EVICTIONS = {
  reject: SessionEviction.REJECT,
  oldest: SessionEviction.OLDEST,
  "least-recent": SessionEviction.LEAST_RECENT,
} as const;

export const ADDRESS_POLICIES = {
  whole: WireAddressPolicy.WHOLE,
  truncated: WireAddressPolicy.TRUNCATED,
  hashed: WireAddressPolicy.HASHED,
} as const;

/** The word for the number of an enum; undefined: this client does not know the number. */
export function wordFor<Word extends string>(
  numbers: Readonly<Record<Word, number>>,
  number: number,
): Word | undefined {
  return (Object.keys(numbers) as Word[]).find((word) => numbers[word] === number);
}

export function sessionOf(session: wire.Session | undefined): LoginSession {
  const fields = present(session);
  const { metadata } = fields;
  return {
    sessionId: fields.sessionId,
    userId: fields.userId,
    aal: fields.aal,
    amr: fields.amr,
    endComment: fields.endComment,
    impersonationReason: fields.impersonationReason,
    version: fields.version,
    deviceId: orUndefined(fields.deviceId),
    status: wordFor(STATUSES, fields.status) ?? "revoked",
    client: useOf(fields.client),
    createTime: dateOf(fields.createTime),
    authenticateTime: dateOf(fields.authenticateTime),
    lastActivityTime: dateOf(fields.lastActivityTime),
    idleExpireTime: dateOf(fields.idleExpireTime),
    absoluteExpireTime: dateOf(fields.absoluteExpireTime),
    tokenExpireTime: optionalDate(fields.tokenExpireTime),
    endTime: optionalDate(fields.endTime),
    endReason: wordFor(ENDS, fields.endReason),
    actorId: orUndefined(fields.actorId),
    metadata,
    metadataJson: (options) => (metadata === undefined ? undefined : fromJsonText(metadata, options)),
  };
}

export function deviceOf(device: wire.UserDevice): UserDevice {
  const { deviceId, firstSeenTime, lastSeenTime, client, activeSessionCount } = device;
  return {
    deviceId,
    firstSeenTime: dateOf(firstSeenTime),
    lastSeenTime: dateOf(lastSeenTime),
    client: useOf(client),
    activeSessionCount,
  };
}

/** The fields that are set, as the wire message has them. */
export function wireUse(use: SessionUse | undefined): Record<string, string> {
  return Object.fromEntries(
    Object.entries(use ?? {}).filter((entry): entry is [string, string] => typeof entry[1] === "string"),
  );
}

function useOf(client: wire.SessionClient | undefined): SessionUse {
  const {
    clientType = "",
    clientVersion = "",
    userAgent = "",
    ipAddress = "",
    location = "",
    deviceName = "",
  } = client ?? {};
  return { clientType, clientVersion, userAgent, ipAddress, location, deviceName };
}

function orUndefined(text: string): string | undefined {
  return text === "" ? undefined : text;
}
