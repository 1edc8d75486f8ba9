import { durationFromMs, durationMs, timestampFromDate } from "@bufbuild/protobuf/wkt";
import type { CallOptions } from "../core/client-options.ts";
import { type JsonInput, toJsonText } from "../core/json.ts";
import { allItems, type ListOptions } from "../core/list-pages.ts";
import type { RpcCaller } from "../core/rpc-caller.ts";
import { newUuid } from "../core/uuid.ts";
import { SessionOrder, SessionService } from "../gen/satchel/v1/sessions_pb.ts";
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
  /** Authentication assurance level, 1 to 3. Unset: 1. */
  readonly aal?: number | undefined;
  readonly amr?: readonly string[] | undefined;
  readonly authenticateTime?: Date | undefined;
  /** At most the policy's. */
  readonly idleTimeoutMs?: number | undefined;
  readonly absoluteTimeoutMs?: number | undefined;
  /** A JSON object. */
  readonly metadata?: JsonInput | undefined;
  /** Makes the creation idempotent. Unset: the client chooses one for its own retries. */
  readonly requestId?: string | undefined;
}

/** What a token must meet to be valid. */
export interface ValidateOptions extends CallOptions {
  /** False: does not record the activity. */
  readonly touch?: boolean | undefined;
  readonly minAal?: number | undefined;
  readonly maxAuthenticationAgeMs?: number | undefined;
  /** The device that sends the token, if it may differ from the session's. */
  readonly deviceId?: string | undefined;
  readonly client?: SessionUse | undefined;
}

/** The result of validating a token. */
export type TokenValidation =
  | {
      readonly valid: true;
      readonly session: LoginSession;
      /** True: the token has been replaced and is valid only during the grace period. Use its successor. */
      readonly superseded: boolean;
      readonly newDevice: boolean;
    }
  | { readonly valid: false; readonly refusal: TokenRefusal; readonly endReason: SessionEnd | undefined };

/** A session, with the token to use from now on. */
export interface SessionWithToken {
  readonly session: LoginSession;
  readonly token: string;
}

const RPC = SessionService.method;

/** Login sessions, for services and, with the token of a session, for its user. Every method rejects with a SatchelClientError. */
export class Sessions {
  readonly #caller: RpcCaller;

  constructor(caller: RpcCaller) {
    this.#caller = caller;
  }

  /** Creates a session. Its token is returned only here. */
  async create(
    { metadata, authenticateTime, idleTimeoutMs, absoluteTimeoutMs, client, ...fields }: NewLoginSession,
    options?: CallOptions,
  ): Promise<SessionWithToken & { readonly newDevice: boolean; readonly evictedSessionIds: readonly string[] }> {
    const request = {
      userId: fields.userId,
      deviceId: fields.deviceId ?? "",
      aal: fields.aal ?? 0,
      amr: [...(fields.amr ?? [])],
      requestId: fields.requestId ?? newUuid(),
      client: wireUse(client),
      ...(metadata === undefined ? {} : { metadata: toJsonText(metadata) }),
      ...(authenticateTime === undefined ? {} : { authenticateTime: timestampFromDate(authenticateTime) }),
      ...(idleTimeoutMs === undefined ? {} : { idleTimeout: durationFromMs(idleTimeoutMs) }),
      ...(absoluteTimeoutMs === undefined ? {} : { absoluteTimeout: durationFromMs(absoluteTimeoutMs) }),
    };
    const { session, token, newDevice, evictedSessionIds } = await this.#caller.callWithRetries(
      RPC.createSession,
      request,
      options,
    );
    return { session: sessionOf(session), token, newDevice, evictedSessionIds };
  }

  /** Validates a token; resolves with its session, or with the reason of the refusal, which is no error. */
  async validate(token: string, options: ValidateOptions = {}): Promise<TokenValidation> {
    const { touch = true, minAal = 0, maxAuthenticationAgeMs, deviceId = "", client } = options;
    const age =
      maxAuthenticationAgeMs === undefined ? {} : { maxAuthenticationAge: durationFromMs(maxAuthenticationAgeMs) };
    const request = { token, withoutTouch: !touch, minAal, deviceId, client: wireUse(client), ...age };
    const answer = await this.#caller.callWithRetries(RPC.validateSession, request, options);
    if (answer.session === undefined) {
      const refusal = wordFor(REFUSALS, answer.refusal) ?? "not-found";
      return { valid: false, refusal, endReason: wordFor(ENDS, answer.endReason) };
    }
    const { superseded, newDevice } = answer;
    return { valid: true, session: sessionOf(answer.session), superseded, newDevice };
  }

  /** Replaces a token by its successor and restarts the idle timeout. Needs no credential but the token. */
  async refresh(token: string, options?: CallOptions): Promise<SessionWithToken> {
    const renewed = await this.#caller.callWithRetries(RPC.refreshSession, { token }, options);
    return { session: sessionOf(renewed.session), token: renewed.token };
  }

  /** Replaces a token by its successor, without other effects. */
  async rotate(token: string, options?: CallOptions): Promise<SessionWithToken> {
    const renewed = await this.#caller.callWithRetries(RPC.rotateSessionToken, { token }, options);
    return { session: sessionOf(renewed.session), token: renewed.token };
  }

  /** Records a new authentication of the user, and replaces the token. */
  async elevate(
    token: string,
    { aal, amr = [], authenticateTime }: Pick<NewLoginSession, "amr" | "authenticateTime"> & { readonly aal: number },
    options?: CallOptions,
  ): Promise<SessionWithToken> {
    const time = authenticateTime === undefined ? {} : { authenticateTime: timestampFromDate(authenticateTime) };
    const renewed = await this.#caller.callWithRetries(
      RPC.elevateSession,
      { token, aal, amr: [...amr], ...time },
      options,
    );
    return { session: sessionOf(renewed.session), token: renewed.token };
  }

  /** Creates a short session in which an actor acts as a user. Not retried. */
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
    const created = await this.#caller.callOnce(
      RPC.createImpersonationSession,
      { userId, actorId, reason, client: wireUse(client), ...timeout },
      options,
    );
    return { session: sessionOf(created.session), token: created.token };
  }

  /** A session. Users may omit the id to get their own. */
  async get(sessionId = "", options?: CallOptions): Promise<LoginSession> {
    return sessionOf((await this.#caller.callWithRetries(RPC.getSession, { sessionId }, options)).session);
  }

  /** Lists the sessions, of one user if given, latest first. */
  list(
    options: Omit<ListOptions, "prefix"> & {
      readonly userId?: string | undefined;
      readonly status?: SessionStatus | undefined;
      /** True: by last activity instead of creation. Requires `userId`. */
      readonly byLastActivity?: boolean | undefined;
    } = {},
  ): AsyncGenerator<LoginSession, void, undefined> {
    const { userId = "", status, byLastActivity = false } = options;
    const order = byLastActivity ? SessionOrder.LAST_ACTIVITY_TIME : SessionOrder.CREATE_TIME;
    const request = { userId, order, ...(status === undefined ? {} : { status: STATUSES[status] }) };
    return allItems(options, async (page) => {
      const answer = await this.#caller.callWithRetries(RPC.listSessions, { ...request, ...page }, options);
      return { items: answer.sessions.map(sessionOf), nextPageToken: answer.nextPageToken };
    });
  }

  /** Records activity of a session. Users may omit the id of their own. */
  async touch(sessionId = "", options?: CallOptions): Promise<LoginSession> {
    return sessionOf((await this.#caller.callWithRetries(RPC.touchSession, { sessionId }, options)).session);
  }

  /** Changes the given fields; `metadata: null` removes the metadata. Not retried. */
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
    return sessionOf((await this.#caller.callOnce(RPC.updateSession, request, options)).session);
  }

  /** Ends a session. Users may omit the id of their own. Once this resolves, no server accepts its token. */
  async revoke(
    sessionId = "",
    options: CallOptions & { readonly comment?: string | undefined } = {},
  ): Promise<LoginSession> {
    const request = { sessionId, comment: options.comment ?? "" };
    return sessionOf((await this.#caller.callWithRetries(RPC.revokeSession, request, options)).session);
  }

  /** Ends the matching sessions; resolves with their number, at most 10,000. */
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
    return (await this.#caller.callWithRetries(RPC.revokeUserSessions, request, options)).revokedCount;
  }

  /** Deletes a session permanently. Not retried. */
  async delete(sessionId: string, options?: CallOptions): Promise<void> {
    await this.#caller.callOnce(RPC.deleteSession, { sessionId }, options);
  }

  /** Counts the sessions, of one user if given. */
  async count(
    options: CallOptions & { readonly userId?: string | undefined } = {},
  ): Promise<{ readonly totalCount: bigint; readonly activeCount: bigint }> {
    const request = { userId: options.userId ?? "" };
    const { totalCount, activeCount } = await this.#caller.callWithRetries(RPC.countSessions, request, options);
    return { totalCount, activeCount };
  }

  /** Statistics of all sessions, exact at the time of the call. */
  async statistics(options: CallOptions & { readonly windowMs?: number | undefined } = {}) {
    const { windowMs } = options;
    const request = windowMs === undefined ? {} : { window: durationFromMs(windowMs) };
    const answer = await this.#caller.callWithRetries(RPC.getSessionStatistics, request, options);
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

  /** Lists the devices of a user, the newest first. */
  listDevices(
    options: Omit<ListOptions, "prefix"> & { readonly userId?: string | undefined } = {},
  ): AsyncGenerator<UserDevice, void, undefined> {
    const { userId = "" } = options;
    return allItems(options, async (page) => {
      const answer = await this.#caller.callWithRetries(RPC.listUserDevices, { userId, ...page }, options);
      return { items: answer.devices.map(deviceOf), nextPageToken: answer.nextPageToken };
    });
  }

  /** Deletes a device and ends its sessions; resolves with their number. Not retried. */
  async forgetDevice(
    deviceId: string,
    options: CallOptions & { readonly userId?: string | undefined } = {},
  ): Promise<bigint> {
    const request = { deviceId, userId: options.userId ?? "" };
    return (await this.#caller.callOnce(RPC.forgetDevice, request, options)).revokedCount;
  }

  /** The session policy of the namespace. */
  async policy(options?: CallOptions): Promise<SessionPolicy> {
    return policyOf((await this.#caller.callWithRetries(RPC.getSessionPolicy, {}, options)).policy);
  }

  /** Changes the session policy. Not retried. */
  async updatePolicy(change: SessionPolicyChange, options?: CallOptions): Promise<SessionPolicy> {
    return policyOf((await this.#caller.callOnce(RPC.updateSessionPolicy, policyRequest(change), options)).policy);
  }

  /** Deletes up to 10,000 expired sessions; resolves with their number. */
  async deleteExpired(options: CallOptions & { readonly limit?: number | undefined } = {}): Promise<bigint> {
    const request = { limit: options.limit ?? 0 };
    return (await this.#caller.callWithRetries(RPC.deleteExpiredSessions, request, options)).deletedCount;
  }
}
