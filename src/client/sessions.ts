import { durationFromMs, durationMs, timestampFromDate } from "@bufbuild/protobuf/wkt";
import { SessionOrder, SessionService } from "../gen/satchel/v1/sessions_pb.ts";
import type { Caller } from "./caller.ts";
import { type JsonInput, toJsonText } from "./json.ts";
import { newMessageId } from "./message-id.ts";
import type { CallOptions } from "./options.ts";
import { allItems, type ListOptions } from "./paging.ts";
import { policyOf, policyRequest, type SessionPolicy, type SessionPolicyChange } from "./session-policy.ts";
import {
  deviceOf,
  ENDS,
  type LoginSession,
  REFUSALS,
  type SessionEnd,
  sessionOf,
  type SessionStatus,
  type SessionUse,
  STATUSES,
  type TokenRefusal,
  type UserDevice,
  wireUse,
  wordFor,
} from "./session-types.ts";

/** A session to create. */
export interface NewLoginSession {
  readonly userId: string;
  readonly deviceId?: string | undefined;
  readonly client?: SessionUse | undefined;
  /** 1 to 3; unset = 1. */
  readonly aal?: number | undefined;
  readonly amr?: readonly string[] | undefined;
  readonly authenticateTime?: Date | undefined;
  /** Shorter than the policy's. */
  readonly idleTimeoutMs?: number | undefined;
  readonly absoluteTimeoutMs?: number | undefined;
  /** A JSON object. */
  readonly metadata?: JsonInput | undefined;
  /** Unset = the client chooses one, so that its own repeats create nothing twice. */
  readonly requestId?: string | undefined;
}

/** What a token has to be. */
export interface ValidateOptions extends CallOptions {
  /** False: the activity is not noted. */
  readonly touch?: boolean | undefined;
  readonly minAal?: number | undefined;
  readonly maxAuthenticationAgeMs?: number | undefined;
  /** Where the call comes from, when that may be another device than the session's. */
  readonly deviceId?: string | undefined;
  readonly client?: SessionUse | undefined;
}

/** What a token is worth. */
export type TokenValidation =
  | {
      readonly valid: true;
      readonly session: LoginSession;
      /** The token was replaced, and is good only for a moment: use the successor. */
      readonly superseded: boolean;
      readonly newDevice: boolean;
    }
  | { readonly valid: false; readonly refusal: TokenRefusal; readonly endReason: SessionEnd | undefined };

/** A session, and the token to use from now on. */
export interface SessionWithToken {
  readonly session: LoginSession;
  readonly token: string;
}

const RPC = SessionService.method;

/** Login sessions: for services, and, with the token of a session, for its user. Every method rejects with a SatchelClientError. */
export class Sessions {
  readonly #caller: Caller;

  constructor(caller: Caller) {
    this.#caller = caller;
  }

  /** Creates a session; its token is shown here once. */
  async create(
    { metadata, authenticateTime, idleTimeoutMs, absoluteTimeoutMs, client, ...fields }: NewLoginSession,
    options?: CallOptions,
  ): Promise<SessionWithToken & { readonly newDevice: boolean; readonly evictedSessionIds: readonly string[] }> {
    const request = {
      userId: fields.userId,
      deviceId: fields.deviceId ?? "",
      aal: fields.aal ?? 0,
      amr: [...(fields.amr ?? [])],
      requestId: fields.requestId ?? newMessageId(),
      client: wireUse(client),
      ...(metadata === undefined ? {} : { metadata: toJsonText(metadata) }),
      ...(authenticateTime === undefined ? {} : { authenticateTime: timestampFromDate(authenticateTime) }),
      ...(idleTimeoutMs === undefined ? {} : { idleTimeout: durationFromMs(idleTimeoutMs) }),
      ...(absoluteTimeoutMs === undefined ? {} : { absoluteTimeout: durationFromMs(absoluteTimeoutMs) }),
    };
    const { session, token, newDevice, evictedSessionIds } = await this.#caller.repeatable(
      RPC.createSession,
      request,
      options,
    );
    return { session: sessionOf(session), token, newDevice, evictedSessionIds };
  }

  /** Says whose session a token is of, or why it is refused; a refusal is no error. */
  async validate(token: string, options: ValidateOptions = {}): Promise<TokenValidation> {
    const { touch = true, minAal = 0, maxAuthenticationAgeMs, deviceId = "", client } = options;
    const age =
      maxAuthenticationAgeMs === undefined ? {} : { maxAuthenticationAge: durationFromMs(maxAuthenticationAgeMs) };
    const request = { token, withoutTouch: !touch, minAal, deviceId, client: wireUse(client), ...age };
    const answer = await this.#caller.repeatable(RPC.validateSession, request, options);
    if (answer.session === undefined) {
      const refusal = wordFor(REFUSALS, answer.refusal) ?? "not-found";
      return { valid: false, refusal, endReason: wordFor(ENDS, answer.endReason) };
    }
    const { superseded, newDevice } = answer;
    return { valid: true, session: sessionOf(answer.session), superseded, newDevice };
  }

  /** Replaces a token by its successor, and begins the idle time anew; needs no other credential than the token. */
  async refresh(token: string, options?: CallOptions): Promise<SessionWithToken> {
    const renewed = await this.#caller.repeatable(RPC.refreshSession, { token }, options);
    return { session: sessionOf(renewed.session), token: renewed.token };
  }

  /** Replaces a token by its successor, and nothing else. */
  async rotate(token: string, options?: CallOptions): Promise<SessionWithToken> {
    const renewed = await this.#caller.repeatable(RPC.rotateSessionToken, { token }, options);
    return { session: sessionOf(renewed.session), token: renewed.token };
  }

  /** Notes that the user has authenticated again, and replaces the token. */
  async elevate(
    token: string,
    { aal, amr = [], authenticateTime }: Pick<NewLoginSession, "amr" | "authenticateTime"> & { readonly aal: number },
    options?: CallOptions,
  ): Promise<SessionWithToken> {
    const time = authenticateTime === undefined ? {} : { authenticateTime: timestampFromDate(authenticateTime) };
    const renewed = await this.#caller.repeatable(RPC.elevateSession, { token, aal, amr: [...amr], ...time }, options);
    return { session: sessionOf(renewed.session), token: renewed.token };
  }

  /** Begins a short session in which somebody acts as a user. Never repeated by itself. */
  async impersonate(
    request: {
      readonly userId: string;
      readonly actorId: string;
      readonly reason: string;
      readonly timeoutMs?: number | undefined;
      readonly client?: SessionUse | undefined;
    },
    options?: CallOptions,
  ): Promise<SessionWithToken> {
    const { userId, actorId, reason, timeoutMs, client } = request;
    const timeout = timeoutMs === undefined ? {} : { timeout: durationFromMs(timeoutMs) };
    const created = await this.#caller.once(
      RPC.createImpersonationSession,
      { userId, actorId, reason, client: wireUse(client), ...timeout },
      options,
    );
    return { session: sessionOf(created.session), token: created.token };
  }

  /** A session; a user may leave the id out, for her own. */
  async get(sessionId = "", options?: CallOptions): Promise<LoginSession> {
    return sessionOf((await this.#caller.repeatable(RPC.getSession, { sessionId }, options)).session);
  }

  /** The sessions of a user, or of all, latest first. */
  list(
    options: Omit<ListOptions, "prefix"> & {
      readonly userId?: string | undefined;
      readonly status?: SessionStatus | undefined;
      /** Needs a user. */
      readonly byLastActivity?: boolean | undefined;
    } = {},
  ): AsyncGenerator<LoginSession, void, undefined> {
    const { userId = "", status, byLastActivity = false } = options;
    const order = byLastActivity ? SessionOrder.LAST_ACTIVITY_TIME : SessionOrder.CREATE_TIME;
    const request = { userId, order, ...(status === undefined ? {} : { status: STATUSES[status] }) };
    return allItems(options, async (page) => {
      const answer = await this.#caller.repeatable(RPC.listSessions, { ...request, ...page }, options);
      return { items: answer.sessions.map(sessionOf), nextPageToken: answer.nextPageToken };
    });
  }

  /** Notes that a session is in use; a user may leave the id out, for her own. */
  async touch(sessionId = "", options?: CallOptions): Promise<LoginSession> {
    return sessionOf((await this.#caller.repeatable(RPC.touchSession, { sessionId }, options)).session);
  }

  /** Changes what is given; `metadata: null` removes it. */
  async update(
    sessionId: string,
    {
      metadata,
      expectedVersion,
      ...use
    }: Pick<SessionUse, "clientVersion" | "location" | "deviceName"> & {
      readonly metadata?: JsonInput | undefined;
      readonly expectedVersion?: bigint | undefined;
    },
    options?: CallOptions,
  ): Promise<LoginSession> {
    const client = wireUse(use);
    const names = { clientVersion: "client_version", location: "location", deviceName: "device_name" } as const;
    const paths = Object.keys(client).map((name) => `client.${names[name as keyof typeof names]}`);
    if (metadata !== undefined) paths.push("metadata");
    const text = metadata == null ? {} : { metadata: toJsonText(metadata) };
    const version = expectedVersion === undefined ? {} : { expectedVersion };
    const request = { session: { sessionId, client, ...text }, updateMask: { paths }, ...version };
    return sessionOf((await this.#caller.once(RPC.updateSession, request, options)).session);
  }

  /** Ends a session; a user may leave the id out, for her own. Once this resolves, no server accepts its token. */
  async revoke(
    sessionId = "",
    options: CallOptions & { readonly comment?: string | undefined } = {},
  ): Promise<LoginSession> {
    const request = { sessionId, comment: options.comment ?? "" };
    return sessionOf((await this.#caller.repeatable(RPC.revokeSession, request, options)).session);
  }

  /** Ends the sessions of a user, or those that match; resolves with their number, at most 10,000. */
  async revokeAll(
    options: CallOptions & {
      readonly userId?: string | undefined;
      readonly exceptSessionIds?: readonly string[] | undefined;
      readonly deviceId?: string | undefined;
      readonly createdBefore?: Date | undefined;
      readonly clientType?: string | undefined;
      readonly comment?: string | undefined;
    } = {},
  ): Promise<bigint> {
    const { userId = "", exceptSessionIds = [], deviceId = "", createdBefore, clientType = "", comment = "" } = options;
    const before = createdBefore === undefined ? {} : { createdBefore: timestampFromDate(createdBefore) };
    const request = { userId, exceptSessionIds: [...exceptSessionIds], deviceId, clientType, comment, ...before };
    return (await this.#caller.repeatable(RPC.revokeUserSessions, request, options)).revokedCount;
  }

  /** Deletes a session for good. Never repeated by itself. */
  async delete(sessionId: string, options?: CallOptions): Promise<void> {
    await this.#caller.once(RPC.deleteSession, { sessionId }, options);
  }

  /** How many sessions a user has, or all have. */
  async count(
    options: CallOptions & { readonly userId?: string | undefined } = {},
  ): Promise<{ readonly totalCount: bigint; readonly activeCount: bigint }> {
    const request = { userId: options.userId ?? "" };
    const { totalCount, activeCount } = await this.#caller.repeatable(RPC.countSessions, request, options);
    return { totalCount, activeCount };
  }

  /** Statistics of all sessions, exact at the time of the call. */
  async statistics(options: CallOptions & { readonly windowMs?: number | undefined } = {}) {
    const { windowMs } = options;
    const request = windowMs === undefined ? {} : { window: durationFromMs(windowMs) };
    const answer = await this.#caller.repeatable(RPC.getSessionStatistics, request, options);
    const { totalSessions, activeSessions, sessionsToday, sessionsThisWeek, sessionsInWindow } = answer;
    return {
      totalSessions,
      activeSessions,
      sessionsToday,
      sessionsThisWeek,
      sessionsInWindow,
      averageSessionDurationMs: answer.averageSessionDuration && durationMs(answer.averageSessionDuration),
      byClientType: answer.byClientType.map(({ clientType, totalSessions, activeSessions }) => ({
        clientType,
        totalSessions,
        activeSessions,
      })),
      byAal: answer.byAal.map(({ aal, totalSessions, activeSessions }) => ({ aal, totalSessions, activeSessions })),
    };
  }

  /** The devices of a user, the one first seen last first. */
  listDevices(
    options: Omit<ListOptions, "prefix"> & { readonly userId?: string | undefined } = {},
  ): AsyncGenerator<UserDevice, void, undefined> {
    const { userId = "" } = options;
    return allItems(options, async (page) => {
      const answer = await this.#caller.repeatable(RPC.listUserDevices, { userId, ...page }, options);
      return { items: answer.devices.map(deviceOf), nextPageToken: answer.nextPageToken };
    });
  }

  /** Forgets a device and ends its sessions; resolves with their number. Never repeated by itself. */
  async forgetDevice(
    deviceId: string,
    options: CallOptions & { readonly userId?: string | undefined } = {},
  ): Promise<bigint> {
    const request = { deviceId, userId: options.userId ?? "" };
    return (await this.#caller.once(RPC.forgetDevice, request, options)).revokedCount;
  }

  /** The policy of the namespace. */
  async policy(options?: CallOptions): Promise<SessionPolicy> {
    return policyOf((await this.#caller.repeatable(RPC.getSessionPolicy, {}, options)).policy);
  }

  /** Changes the policy. Never repeated by itself. */
  async updatePolicy(change: SessionPolicyChange, options?: CallOptions): Promise<SessionPolicy> {
    return policyOf((await this.#caller.once(RPC.updateSessionPolicy, policyRequest(change), options)).policy);
  }

  /** Deletes expired sessions, up to 10,000; resolves with their number. */
  async deleteExpired(options: CallOptions & { readonly limit?: number | undefined } = {}): Promise<bigint> {
    const request = { limit: options.limit ?? 0 };
    return (await this.#caller.repeatable(RPC.deleteExpiredSessions, request, options)).deletedCount;
  }
}
