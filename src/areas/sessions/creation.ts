import { type EntityManager, LockMode } from "@mikro-orm/core";
import type { CallOptions } from "../../kernel/call-options.ts";
import type { ServiceKey } from "../../kernel/crypto/service-key.ts";
import { fieldError, SatchelError } from "../../kernel/errors.ts";
import type { NamespaceId } from "../../kernel/namespace-id.ts";
import type { ServicePrincipal } from "../../kernel/principal.ts";
import type { Unit } from "../../kernel/store/unit.ts";
import { newMessageId } from "../../kernel/uuid.ts";
import { authenticationTime, refuseEnded, type SessionContext, type SessionRecord } from "./context.ts";
import { keepAddress } from "./domain/ip-address.ts";
import { type SessionPolicy, touchIntervalOf } from "./domain/session-policy.ts";
import { newSessionToken } from "./domain/session-token.ts";
import { endSession } from "./end-sessions.ts";
import { journalSession, withoutEmpty } from "./journal.ts";
import { sharedPolicy } from "./policies.ts";
import { SessionDeviceEntity } from "./store/session-device.ts";
import { SessionEntity, type SessionRow } from "./store/session.ts";
import { type ReplacedToken, replaceToken } from "./tokens.ts";

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

/** The session to create. Times and durations are microseconds. */
export interface NewSession {
  readonly userId: string;
  readonly deviceId: string | undefined;
  readonly client: SessionClient;
  readonly aal: number;
  readonly amr: readonly string[];
  readonly authenticateTime: bigint | undefined;
  readonly idleTimeout: bigint | undefined;
  readonly absoluteTimeout: bigint | undefined;
  readonly metadata: string | null;
  readonly requestId: string | undefined;
}

/** The impersonation to begin. */
export interface NewImpersonation {
  readonly userId: string;
  readonly actorId: string;
  readonly reason: string;
  readonly timeout: bigint | undefined;
  readonly client: SessionClient;
}

/** A session that was just created; the token exists nowhere else. */
export interface CreatedSession {
  readonly session: SessionRecord;
  readonly token: string;
  readonly newDevice: boolean;
  readonly evictedIds: readonly string[];
}

/** Makes sessions. */
export class SessionCreation {
  readonly #context: SessionContext;

  constructor(context: SessionContext) {
    this.#context = context;
  }

  /** Creates a session. Throws FIELD_INVALID, SESSION_LIMIT_REACHED; for a repeat, SESSION_EXPIRED and SESSION_REVOKED. */
  async create(caller: ServicePrincipal, request: NewSession, options: CallOptions): Promise<CreatedSession> {
    const { store, keys, clock } = this.#context;
    const { namespaceId } = caller;
    if (caller.userId !== undefined && caller.userId !== request.userId)
      throw fieldError("user_id", "must be the user that the service acts for");
    const key = await keys.active();
    const work = async (unit: Unit): Promise<CreatedSession> => {
      const now = clock();
      const { policy } = await sharedPolicy(unit);
      const renewal = { namespaceId, policy, key, now };
      // Where logins end other sessions, one that is a repeat must be known for it before.
      const repeated = policy.maxSessionsPerUser === 0 ? undefined : await repeatOf(unit, request, renewal);
      if (repeated !== undefined) return repeated;
      const authenticateTime = authenticationTime(request.authenticateTime, now);
      const idleTimeout = atMost("idle_timeout", request.idleTimeout, policy.idleTimeout);
      const absoluteTimeout = atMost("absolute_timeout", request.absoluteTimeout, policy.absoluteTimeout);
      const evictedIds = await makeRoom(unit, request.userId, policy, now);
      const times = { now, authenticateTime, idleTimeout, absoluteTimeout };
      const { row, token } = newRow({ namespaceId, policy, key, times }, request);
      const { inserted, newDevice } = await unit.insertSession(row);
      if (!inserted) return (await repeatOf(unit, request, renewal)) ?? lostRequest();
      journalSession(unit, row, "SessionCreated", { ...createdFacts(row), newDevice });
      if (newDevice) journalSession(unit, row, "NewDevice");
      return { session: row, token, newDevice, evictedIds };
    };
    return store.inNamespace(namespaceId, work, options);
  }

  /** Creates a session in which somebody acts as a user. Throws FIELD_INVALID. */
  async impersonate(
    caller: ServicePrincipal,
    { userId, actorId, reason, timeout, client }: NewImpersonation,
    options: CallOptions,
  ): Promise<CreatedSession> {
    const { store, keys, clock } = this.#context;
    const { namespaceId } = caller;
    const key = await keys.active();
    const work = async (unit: Unit): Promise<CreatedSession> => {
      const now = clock();
      const { policy } = await sharedPolicy(unit);
      const lifetime = atMost("timeout", timeout, policy.impersonationTimeout);
      const times = { now, authenticateTime: now, idleTimeout: lifetime, absoluteTimeout: lifetime };
      const { row, token } = newRow(
        { namespaceId, policy: { ...policy, tokenLifetime: undefined }, key, times },
        { userId, deviceId: undefined, client, aal: 1, amr: [], metadata: null, requestId: undefined },
      );
      const impersonation = { ...row, actorId, impersonationReason: reason };
      await unit.insertSession(impersonation);
      const facts = { ...createdFacts(row), impersonationReason: reason, by: caller.tokenId };
      journalSession(unit, impersonation, "SessionCreated", facts);
      return { session: impersonation, token, newDevice: false, evictedIds: [] };
    };
    return store.inNamespace(namespaceId, work, options);
  }
}

interface Renewal {
  readonly namespaceId: NamespaceId;
  readonly policy: SessionPolicy;
  readonly key: ServiceKey;
  readonly now: bigint;
}

/** Answers a request that was answered before: the same session, with a token that replaces the one it had. */
async function repeatOf(
  unit: Unit,
  { userId, requestId }: NewSession,
  { namespaceId, policy, key, now }: Renewal,
): Promise<CreatedSession | undefined> {
  if (requestId === undefined) return undefined;
  const lock = { lockMode: LockMode.PESSIMISTIC_WRITE } as const;
  const session = await unit.em.findOne(SessionEntity, { userId, requestId }, lock);
  if (session === null) return undefined;
  refuseEnded(session, now);
  const made = newSessionToken({ namespaceId, sessionId: session.id }, session.tokenGeneration + 1, key);
  const token: ReplacedToken = { made, key };
  replaceToken(session, token, policy, now);
  journalSession(unit, session, "SessionRotated", { cause: "repeat", generation: session.tokenGeneration });
  return { session, token: made.text, newDevice: false, evictedIds: [] };
}

/** The session that was in the way has been deleted since. */
function lostRequest(): never {
  throw new SatchelError("STORE_UNAVAILABLE", "a session of the same request was just deleted", { retryAfterMs: 100 });
}

function atMost(field: string, asked: bigint | undefined, allowed: bigint): bigint {
  if (asked !== undefined && asked > allowed) throw fieldError(field, "must not be longer than the policy's");
  return asked ?? allowed;
}

/** Ends as many sessions of the user as it takes to have room for one more. Throws SESSION_LIMIT_REACHED. */
async function makeRoom(unit: Unit, userId: string, policy: SessionPolicy, now: bigint): Promise<string[]> {
  const { maxSessionsPerUser: maximum, eviction, auditPeriod } = policy;
  if (maximum === 0) return [];
  await unit.lock(`sessions of ${userId}`);
  const active = { idleExpireTime: { $gt: now }, absoluteExpireTime: { $gt: now } };
  const sessions = await unit.em.find(
    SessionEntity,
    { userId, endTime: null, actorId: null, ...active },
    { orderBy: { createTime: "asc", id: "asc" }, lockMode: LockMode.PESSIMISTIC_WRITE },
  );
  const excess = sessions.length + 1 - maximum;
  if (excess <= 0) return [];
  if (eviction === "reject") {
    throw new SatchelError(
      "SESSION_LIMIT_REACHED",
      `the user has ${sessions.length} sessions, and may have ${maximum}`,
      {
        metadata: { maximum: String(maximum) },
      },
    );
  }
  if (eviction === "least-recent") sessions.sort((a, b) => (a.lastActivityTime < b.lastActivityTime ? -1 : 1));
  const evicted = sessions.slice(0, excess);
  for (const session of evicted) endSession(unit, session, { reason: "evicted", now, auditPeriod });
  return evicted.map(({ id }) => id);
}

/** Notes a device of the user as used now. Returns whether it is new. */
export async function noteDevice(
  em: EntityManager,
  { userId, deviceId, ...session }: SessionClient & { userId: string; deviceId?: string | null | undefined },
  now: bigint,
): Promise<boolean> {
  if (deviceId == null) return false;
  const { clientType, clientVersion, userAgent, ipAddress, location, deviceName } = session;
  const seen = { clientType, clientVersion, userAgent, ipAddress, location, deviceName, lastSeenTime: now };
  const known = await em.nativeUpdate(SessionDeviceEntity, { userId, deviceId }, seen);
  if (known > 0) return false;
  await em.insert(SessionDeviceEntity, { userId, deviceId, firstSeenTime: now, ...seen });
  return true;
}

interface RowContext {
  readonly namespaceId: NamespaceId;
  readonly policy: SessionPolicy;
  readonly key: ServiceKey;
  readonly times: {
    readonly now: bigint;
    readonly authenticateTime: bigint;
    readonly idleTimeout: bigint;
    readonly absoluteTimeout: bigint;
  };
}

function newRow(
  { namespaceId, policy, key, times }: RowContext,
  request: Omit<NewSession, "authenticateTime" | "idleTimeout" | "absoluteTimeout">,
): { readonly row: SessionRow; readonly token: string } {
  const id: string = newMessageId();
  const { now, authenticateTime, idleTimeout, absoluteTimeout } = times;
  const token = newSessionToken({ namespaceId, sessionId: id }, 0, key);
  const idleExpireTime = now + idleTimeout;
  const absoluteExpireTime = now + absoluteTimeout;
  const row = {
    id,
    userId: request.userId,
    deviceId: request.deviceId ?? null,
    tokenHash: Buffer.from(token.hash),
    tokenKey: key.id,
    tokenGeneration: 0,
    tokenExpireTime: policy.tokenLifetime === undefined ? null : now + policy.tokenLifetime,
    previousHash: null,
    previousExpireTime: null,
    createTime: now,
    authenticateTime,
    lastActivityTime: now,
    idleTimeout,
    touchInterval: touchIntervalOf(policy, idleTimeout),
    idleExpireTime,
    absoluteExpireTime,
    sweepTime: idleExpireTime < absoluteExpireTime ? idleExpireTime : absoluteExpireTime,
    endTime: null,
    endReason: null,
    endComment: null,
    aal: request.aal,
    amr: JSON.stringify(request.amr),
    actorId: null,
    impersonationReason: null,
    ...request.client,
    ipAddress: keepAddress(request.client.ipAddress, policy.addressPolicy, namespaceId, key),
    metadata: request.metadata,
    requestId: request.requestId ?? null,
    version: 1,
  };
  return { row, token: token.text };
}

function createdFacts({ aal, amr, clientVersion, userAgent, deviceName }: SessionRecord) {
  return { aal, amr: JSON.parse(amr) as unknown, ...withoutEmpty({ clientVersion, userAgent, deviceName }) };
}
