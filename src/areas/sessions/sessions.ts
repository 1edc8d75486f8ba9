import { type EntityManager, type FilterQuery, LockMode } from "@mikro-orm/core";
import type { CallOptions } from "../../kernel/call-options.ts";
import { fieldError } from "../../kernel/errors.ts";
import { listPage, type ListPage, type ListRequest } from "../../kernel/paging.ts";
import type { DataPrincipal, ServicePrincipal } from "../../kernel/principal.ts";
import type { Unit } from "../../kernel/store/unit.ts";
import {
  reachedBy,
  refuseEnded,
  refuseImpersonation,
  type SessionContext,
  sessionNotFound,
  type SessionRecord,
} from "./context.ts";
import type { SessionStatus } from "./domain/session.ts";
import { endSession } from "./end-sessions.ts";
import { journalSession } from "./journal.ts";
import { refuseOtherVersion, sharedPolicy } from "./policies.ts";
import { SessionEntity, type SessionRow } from "./store/session.ts";
import { touchIfDue } from "./validation.ts";

/** Which page of sessions to return. */
export interface SessionsRequest extends ListRequest {
  /** Undefined: all users'. */
  readonly userId: string | undefined;
  readonly status: SessionStatus | undefined;
  readonly order: "createTime" | "lastActivityTime";
}

/** The change to make; what is undefined stays as it is. */
export interface SessionChange {
  readonly sessionId: string;
  readonly expectedVersion: number | undefined;
  readonly values: Partial<Pick<SessionRow, "metadata" | "clientVersion" | "location" | "deviceName">>;
}

/** Which sessions of a user to end. */
export interface UserRevocation {
  readonly userId: string;
  readonly exceptIds: readonly string[];
  readonly deviceId: string | undefined;
  /** In microseconds since 1970. */
  readonly createdBefore: bigint | undefined;
  readonly clientType: string | undefined;
  readonly comment: string;
}

const LOCKED = { lockMode: LockMode.PESSIMISTIC_WRITE } as const;

/** Sessions, as services manage them, and users their own. What the caller does not reach is not there. */
export class Sessions {
  readonly #context: SessionContext;

  constructor(context: SessionContext) {
    this.#context = context;
  }

  /** Returns a session. Throws SESSION_NOT_FOUND. */
  get(caller: DataPrincipal, sessionId: string): Promise<SessionRecord> {
    return this.#context.store.readNamespace(caller.namespaceId, async (em) => {
      const session = await em.findOne(SessionEntity, { id: sessionId, ...reachedBy(caller) });
      if (session === null) throw sessionNotFound();
      return session;
    });
  }

  /** Lists sessions, latest first. Throws PAGE_TOKEN_INVALID. */
  list(caller: DataPrincipal, request: SessionsRequest): Promise<ListPage<SessionRecord>> {
    const { userId, status, order } = request;
    const conditions = [
      reachedBy(caller),
      ...(userId === undefined ? [] : [{ userId }]),
      ...(status === undefined ? [] : [withStatus(status, this.#context.clock())]),
    ];
    return listPage(
      request,
      ["sessions", caller.namespaceId, caller.userId ?? "", userId ?? "", status ?? "", order],
      (session) => `${session[order]}/${session.id}`,
      (after, limit) =>
        this.#context.store.readNamespace(caller.namespaceId, (em) =>
          em.find(
            SessionEntity,
            { $and: [...conditions, ...(after === undefined ? [] : [beyond(order, after)])] },
            { orderBy: [{ [order]: "desc" }, { id: "desc" }], limit },
          ),
        ),
    );
  }

  /** Notes that a session is in use. Throws SESSION_NOT_FOUND, SESSION_EXPIRED, SESSION_REVOKED. */
  async touch(caller: DataPrincipal, sessionId: string): Promise<SessionRecord> {
    const session = await this.get(caller, sessionId);
    const now = this.#context.clock();
    refuseEnded(session, now);
    return touchIfDue(this.#context, caller.namespaceId, session, now);
  }

  /** Changes a session. Throws SESSION_NOT_FOUND, SESSION_EXPIRED, SESSION_REVOKED, SESSION_CHANGED. */
  update(caller: ServicePrincipal, change: SessionChange, options: CallOptions): Promise<SessionRecord> {
    const { sessionId, expectedVersion, values } = change;
    return this.#change(caller, options, async (unit) => {
      const session = await lockSession(unit.em, caller, sessionId);
      refuseEnded(session, this.#context.clock());
      refuseOtherVersion(session.version, expectedVersion);
      unit.em.assign(session, { ...values, version: session.version + 1 });
      journalSession(unit, session, "SessionUpdated", { version: session.version, fields: Object.keys(values) });
      return session;
    });
  }

  /** Ends a session; again is no error. Throws SESSION_NOT_FOUND. */
  revoke(caller: DataPrincipal, sessionId: string, comment: string, options: CallOptions): Promise<SessionRecord> {
    if (caller.kind === "user" && caller.sessionId !== sessionId) refuseImpersonation(caller);
    return this.#change(caller, options, async (unit) => {
      const session = await lockSession(unit.em, caller, sessionId);
      const { policy } = await sharedPolicy(unit);
      const now = this.#context.clock();
      endSession(unit, session, {
        reason: "revoked",
        now,
        auditPeriod: policy.auditPeriod,
        comment,
        by: nameOf(caller),
      });
      return session;
    });
  }

  /** Ends sessions of a user. Returns how many. */
  async revokeAll(caller: DataPrincipal, revocation: UserRevocation): Promise<number> {
    refuseImpersonation(caller);
    const { userId, comment } = revocation;
    if (caller.userId !== undefined && caller.userId !== userId) return 0;
    const { store, clock, limits } = this.#context;
    return store.aloneInNamespace(caller.namespaceId, async (unit) => {
      const now = clock();
      const { policy } = await sharedPolicy(unit);
      const sessions = await unit.em.find(SessionEntity, conditionOf(revocation, now), {
        ...LOCKED,
        orderBy: { createTime: "asc", id: "asc" },
        limit: limits.maxRevokedSessions,
      });
      const ending = { reason: "revoked", now, auditPeriod: policy.auditPeriod, comment, by: nameOf(caller) } as const;
      return sessions.filter((session) => endSession(unit, session, ending)).length;
    });
  }

  /** Deletes a session for good. Throws SESSION_NOT_FOUND. */
  delete(caller: ServicePrincipal, sessionId: string, options: CallOptions): Promise<void> {
    return this.#change(caller, options, async (unit) => {
      const session = await lockSession(unit.em, caller, sessionId);
      unit.em.remove(session);
      journalSession(unit, session, "SessionDeleted", { by: nameOf(caller) });
    });
  }

  #change<T>(caller: DataPrincipal, options: CallOptions, work: (unit: Unit) => Promise<T>): Promise<T> {
    return this.#context.store.inNamespace(caller.namespaceId, work, options);
  }
}

/** The condition that a session has a status. */
export function withStatus(status: SessionStatus, now: bigint): FilterQuery<SessionRow> {
  switch (status) {
    case "active":
      return { endTime: null, idleExpireTime: { $gt: now }, absoluteExpireTime: { $gt: now } };
    case "expired":
      return { endTime: null, $or: [{ idleExpireTime: { $lte: now } }, { absoluteExpireTime: { $lte: now } }] };
    case "revoked":
      return { endTime: { $ne: null } };
  }
}

/** Who has done something, for the journal: a service by its token's id. */
export function nameOf(caller: DataPrincipal): string {
  return caller.kind === "service" ? `service ${caller.tokenId}` : `user ${caller.actorId ?? caller.userId}`;
}

/** The session, which nobody else changes before the unit of work ends. Throws SESSION_NOT_FOUND. */
async function lockSession(em: EntityManager, caller: DataPrincipal, sessionId: string): Promise<SessionRow> {
  const session = await em.findOne(SessionEntity, { id: sessionId, ...reachedBy(caller) }, LOCKED);
  if (session === null) throw sessionNotFound();
  return session;
}

/** What comes after the session with this key. Throws PAGE_TOKEN_INVALID. */
function beyond(order: SessionsRequest["order"], key: string): FilterQuery<SessionRow> {
  const [time = "", id = ""] = key.split("/");
  if (!/^-?\d+$/.test(time)) throw fieldError("page_token", "is not a page token", "PAGE_TOKEN_INVALID");
  const at = BigInt(time);
  return { $or: [{ [order]: { $lt: at } }, { [order]: at, id: { $lt: id } }] };
}

function conditionOf(
  { userId, exceptIds, deviceId, createdBefore, clientType }: UserRevocation,
  now: bigint,
): FilterQuery<SessionRow> {
  return {
    $and: [
      { userId },
      withStatus("active", now),
      ...(exceptIds.length === 0 ? [] : [{ id: { $nin: [...exceptIds] } }]),
      ...(deviceId === undefined ? [] : [{ deviceId }]),
      ...(createdBefore === undefined ? [] : [{ createTime: { $lt: createdBefore } }]),
      ...(clientType === undefined ? [] : [{ clientType }]),
    ],
  };
}
