import type { ServiceImpl } from "@connectrpc/connect";
import { SessionService } from "../../gen/satchel/v1/sessions_pb.ts";
import type { Clock } from "../../kernel/clock.ts";
import type { Limits } from "../../kernel/limits.ts";
import { dataCaller, serviceCaller } from "../../kernel/rpc/principal.ts";
import type { Routes } from "../../kernel/rpc/router.ts";
import { parsePolicyChange } from "./policy-requests.ts";
import * as requests from "./requests.ts";
import * as shapes from "./responses.ts";
import type { LoginSessions } from "./use-cases.ts";

/** Registers satchel.v1.SessionService. */
export function sessionRoutes(...dependencies: Parameters<typeof sessionHandlers>): Routes {
  return (router) => void router.service(SessionService, sessionHandlers(...dependencies));
}

/** satchel.v1.SessionService. */
function sessionHandlers(sessions: LoginSessions, limits: Limits, clock: Clock): ServiceImpl<typeof SessionService> {
  const shape = (record: Parameters<typeof shapes.session>[0]) => shapes.session(record, clock());
  return {
    async createSession(request, context) {
      const created = await sessions.create(serviceCaller(context), requests.parseNewSession(request, limits), context);
      const { session, token, newDevice, evictedIds } = created;
      return { session: shape(session), token, newDevice, evictedSessionIds: [...evictedIds] };
    },

    async validateSession(request, context) {
      const result = await sessions.validate(dataCaller(context), requests.parseValidation(request, limits), context);
      return shapes.validation(result, clock());
    },

    async refreshSession({ token }, context) {
      const renewed = await sessions.refresh(token, context);
      return { session: shape(renewed.session), token: renewed.token };
    },

    async rotateSessionToken({ token }, context) {
      const renewed = await sessions.rotate(dataCaller(context), token, context);
      return { session: shape(renewed.session), token: renewed.token };
    },

    async elevateSession(request, context) {
      const renewed = await sessions.elevate(serviceCaller(context), requests.parseElevation(request, limits), context);
      return { session: shape(renewed.session), token: renewed.token };
    },

    async createImpersonationSession(request, context) {
      const impersonation = requests.parseNewImpersonation(request, limits);
      const { session, token } = await sessions.impersonate(serviceCaller(context), impersonation, context);
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
      const revocation = requests.parseRevocation(request, caller, limits);
      return { session: shape(await sessions.revoke(caller, revocation, context)) };
    },

    async revokeUserSessions(request, context) {
      const caller = dataCaller(context);
      const revocation = requests.parseUserRevocation(request, caller, limits);
      return { revokedCount: BigInt(await sessions.revokeUser(caller, revocation)) };
    },

    async deleteSession({ sessionId }, context) {
      const caller = serviceCaller(context);
      await sessions.deleteSession(caller, requests.parseSessionId(sessionId, caller, limits), context);
      return {};
    },

    async countSessions(request, context) {
      const caller = dataCaller(context);
      const { total, active } = await sessions.count(caller, requests.parseCount(request, caller, limits));
      return { totalCount: total, activeCount: active };
    },

    async getSessionStatistics(request, context) {
      return shapes.statistics(
        await sessions.statistics(serviceCaller(context), requests.parseWindow(request, limits)),
      );
    },

    async listUserDevices(request, context) {
      const caller = dataCaller(context);
      const { items, nextPageToken } = await sessions.listDevices(
        caller,
        requests.parseDeviceList(request, caller, limits),
      );
      return { devices: items.map(shapes.userDevice), nextPageToken };
    },

    async forgetDevice(request, context) {
      const caller = dataCaller(context);
      const device = requests.parseDevice(request, caller, limits);
      return { revokedCount: BigInt(await sessions.forgetDevice(caller, device)) };
    },

    async getSessionPolicy(_request, context) {
      return { policy: shapes.policy(await sessions.getPolicy(serviceCaller(context))) };
    },

    async updateSessionPolicy(request, context) {
      const change = parsePolicyChange(request, limits);
      return { policy: shapes.policy(await sessions.updatePolicy(serviceCaller(context), change)) };
    },

    async deleteExpiredSessions(request, context) {
      const { namespaceId } = serviceCaller(context);
      const limit = requests.parseDeletion(request);
      const deleted = await sessions.deleteExpired({ namespaceId, limit, signal: context.signal });
      return { deletedCount: BigInt(deleted) };
    },
  };
}
