import type { ServiceImpl } from "@connectrpc/connect";
import { SessionService } from "../../gen/satchel/v1/sessions_pb.ts";
import type { Clock } from "../../kernel/clock.ts";
import type { Limits } from "../../kernel/limits.ts";
import { dataCaller, serviceCaller } from "../../kernel/rpc/principal.ts";
import type { Routes } from "../../kernel/rpc/router.ts";
import type { LoginSessions } from "./login-sessions.ts";
import { parsePolicyChange } from "./policy-requests.ts";
import * as requests from "./requests.ts";
import * as shapes from "./responses.ts";

/** Registers satchel.v1.SessionService. */
export function sessionRoutes(...dependencies: Parameters<typeof sessionHandlers>): Routes {
  return (router) => void router.service(SessionService, sessionHandlers(...dependencies));
}

/** satchel.v1.SessionService. */
function sessionHandlers(
  { creation, validation, tokens, sessions, devices, policies, statistics, sweep }: LoginSessions,
  limits: Limits,
  clock: Clock,
): ServiceImpl<typeof SessionService> {
  const shape = (record: Parameters<typeof shapes.session>[0]) => shapes.session(record, clock());
  return {
    async createSession(request, context) {
      const created = await creation.create(serviceCaller(context), requests.parseNewSession(request, limits), context);
      const { session, token, newDevice, evictedIds } = created;
      return { session: shape(session), token, newDevice, evictedSessionIds: [...evictedIds] };
    },

    async validateSession(request, context) {
      const result = await validation.validate(dataCaller(context), requests.parseValidation(request, limits), context);
      return shapes.validation(result, clock());
    },

    async refreshSession({ token }, context) {
      const renewed = await tokens.refresh(token, context);
      return { session: shape(renewed.session), token: renewed.token };
    },

    async rotateSessionToken({ token }, context) {
      const renewed = await tokens.rotate(dataCaller(context), token, context);
      return { session: shape(renewed.session), token: renewed.token };
    },

    async elevateSession(request, context) {
      const renewed = await tokens.elevate(serviceCaller(context), requests.parseElevation(request, limits), context);
      return { session: shape(renewed.session), token: renewed.token };
    },

    async createImpersonationSession(request, context) {
      const impersonation = requests.parseNewImpersonation(request, limits);
      const { session, token } = await creation.impersonate(serviceCaller(context), impersonation, context);
      return { session: shape(session), token };
    },

    async getSession({ sessionId }, context) {
      const caller = dataCaller(context);
      return { session: shape(await sessions.get(caller, requests.parseSessionId(sessionId, caller, limits))) };
    },

    async listSessions(request, context) {
      const caller = dataCaller(context);
      const { items, nextPageToken } = await sessions.list(caller, requests.parseSessionList(request, caller, limits));
      return { sessions: items.map(shape), nextPageToken };
    },

    async touchSession({ sessionId }, context) {
      const caller = dataCaller(context);
      return { session: shape(await sessions.touch(caller, requests.parseSessionId(sessionId, caller, limits))) };
    },

    async updateSession(request, context) {
      const change = requests.parseSessionUpdate(request, limits);
      return { session: shape(await sessions.update(serviceCaller(context), change, context)) };
    },

    async revokeSession(request, context) {
      const caller = dataCaller(context);
      const { sessionId, comment } = requests.parseRevocation(request, caller, limits);
      return { session: shape(await sessions.revoke(caller, sessionId, comment, context)) };
    },

    async revokeUserSessions(request, context) {
      const caller = dataCaller(context);
      const revocation = requests.parseUserRevocation(request, caller, limits);
      return { revokedCount: BigInt(await sessions.revokeAll(caller, revocation)) };
    },

    async deleteSession({ sessionId }, context) {
      const caller = serviceCaller(context);
      await sessions.delete(caller, requests.parseSessionId(sessionId, caller, limits), context);
      return {};
    },

    async countSessions(request, context) {
      const caller = dataCaller(context);
      const { total, active } = await statistics.count(caller, requests.parseCount(request, caller, limits));
      return { totalCount: total, activeCount: active };
    },

    async getSessionStatistics(request, context) {
      return shapes.statistics(await statistics.get(serviceCaller(context), requests.parseWindow(request, limits)));
    },

    async listUserDevices(request, context) {
      const caller = dataCaller(context);
      const { items, nextPageToken } = await devices.list(caller, requests.parseDeviceList(request, caller, limits));
      return { devices: items.map(shapes.userDevice), nextPageToken };
    },

    async forgetDevice(request, context) {
      const caller = dataCaller(context);
      const { userId, deviceId } = requests.parseDevice(request, caller, limits);
      return { revokedCount: BigInt(await devices.forget(caller, userId, deviceId)) };
    },

    async getSessionPolicy(_request, context) {
      return { policy: shapes.policy(await policies.get(serviceCaller(context))) };
    },

    async updateSessionPolicy(request, context) {
      const change = parsePolicyChange(request, limits);
      return { policy: shapes.policy(await policies.update(serviceCaller(context), change)) };
    },

    async deleteExpiredSessions(request, context) {
      const { namespaceId } = serviceCaller(context);
      const deleted = await sweep.sweep(namespaceId, requests.parseDeletion(request), context.signal);
      return { deletedCount: BigInt(deleted) };
    },
  };
}
