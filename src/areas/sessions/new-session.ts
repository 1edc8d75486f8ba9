import type { ServiceKey } from "../../kernel/crypto/service-key.ts";
import { fieldError } from "../../kernel/errors.ts";
import type { NamespaceId } from "../../kernel/namespace-id.ts";
import { newUuid } from "../../kernel/uuid.ts";
import type { SessionRecord } from "./context.ts";
import { keepAddress } from "./domain/ip-address.ts";
import { type SessionPolicy, touchIntervalOf } from "./domain/session-policy.ts";
import { newSessionToken } from "./domain/session-token.ts";
import { withoutEmpty } from "./journal.ts";
import type { SessionRow } from "./store/session.ts";

/** What a session is used with; texts are empty when nothing is known. */
export interface SessionClient {
  readonly clientType: string;
  readonly clientVersion: string;
  readonly userAgent: string;
  /** In its canonical form. */
  readonly ipAddress: string;
  readonly location: string;
  readonly deviceName: string;
}

/** A session that was just created; the token exists nowhere else. */
export interface CreatedSession {
  readonly session: SessionRecord;
  readonly token: string;
  readonly newDevice: boolean;
  readonly evictedIds: readonly string[];
}

/** Where and by which rules a session is made. */
export interface RowContext {
  readonly namespaceId: NamespaceId;
  readonly policy: SessionPolicy;
  readonly key: ServiceKey;
  readonly times: {
    readonly nowMicros: bigint;
    readonly authenticateTimeMicros: bigint;
    readonly idleTimeoutMicros: bigint;
    readonly absoluteTimeoutMicros: bigint;
  };
}

/** What a session is made of. */
export interface SessionParts {
  readonly userId: string;
  readonly deviceId: string | undefined;
  readonly client: SessionClient;
  readonly aal: number;
  readonly amr: readonly string[];
  readonly metadata: string | null;
  readonly requestId: string | undefined;
}

/** The row of a new session, and its token. */
export function newRow(
  { namespaceId, policy, key, times }: RowContext,
  parts: SessionParts,
): { readonly row: SessionRow; readonly token: string } {
  const id: string = newUuid();
  const { nowMicros, authenticateTimeMicros, idleTimeoutMicros, absoluteTimeoutMicros } = times;
  const token = newSessionToken({ namespaceId, sessionId: id }, 0, key);
  const idleExpireTimeMicros = nowMicros + idleTimeoutMicros;
  const absoluteExpireTimeMicros = nowMicros + absoluteTimeoutMicros;
  const row = {
    id,
    userId: parts.userId,
    deviceId: parts.deviceId ?? null,
    tokenHash: Buffer.from(token.hash),
    tokenKey: key.id,
    tokenGeneration: 0,
    tokenExpireTimeMicros: policy.tokenLifetimeMicros === undefined ? null : nowMicros + policy.tokenLifetimeMicros,
    previousHash: null,
    previousExpireTimeMicros: null,
    createTimeMicros: nowMicros,
    authenticateTimeMicros,
    lastActivityTimeMicros: nowMicros,
    idleTimeoutMicros,
    touchIntervalMicros: touchIntervalOf(policy, idleTimeoutMicros),
    idleExpireTimeMicros,
    absoluteExpireTimeMicros,
    sweepTimeMicros: idleExpireTimeMicros < absoluteExpireTimeMicros ? idleExpireTimeMicros : absoluteExpireTimeMicros,
    endTimeMicros: null,
    endReason: null,
    endComment: null,
    aal: parts.aal,
    amr: JSON.stringify(parts.amr),
    actorId: null,
    impersonationReason: null,
    ...parts.client,
    ipAddress: keepAddress(parts.client.ipAddress, policy.addressPolicy, namespaceId, key),
    metadata: parts.metadata,
    requestId: parts.requestId ?? null,
    version: 1,
  };
  return { row, token: token.text };
}

/** The duration that was asked for, or the policy's. Throws FIELD_INVALID when it is longer than that. */
export function atMost(field: string, askedMicros: bigint | undefined, allowedMicros: bigint): bigint {
  if (askedMicros !== undefined && askedMicros > allowedMicros)
    throw fieldError(field, "must not be longer than the policy's");
  return askedMicros ?? allowedMicros;
}

/** What the journal says of a new session. */
export function createdFacts({ aal, amr, clientVersion, userAgent, deviceName }: SessionRecord) {
  return { aal, amr: JSON.parse(amr) as unknown, ...withoutEmpty({ clientVersion, userAgent, deviceName }) };
}
