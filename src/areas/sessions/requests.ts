import type * as wire from "../../gen/satchel/v1/sessions_pb.ts";
import type { Limits } from "../../kernel/limits.ts";
import type { ListRequest } from "../../kernel/paging.ts";
import type { DataPrincipal } from "../../kernel/principal.ts";
import * as fields from "../../kernel/rpc/fields.ts";
import * as jsonFields from "../../kernel/rpc/json-fields.ts";
import { parsed, type Problems } from "../../kernel/rpc/problems.ts";
import * as times from "../../kernel/rpc/times.ts";
import type { NewSession } from "./create.ts";
import type { Elevation } from "./elevate.ts";
import { ORDERS, STATUSES, wordFor } from "./enums.ts";
import * as session from "./fields.ts";
import type { DeviceOfUser } from "./forget-device.ts";
import type { NewImpersonation } from "./impersonate.ts";
import type { DevicesRequest } from "./list-devices.ts";
import type { SessionsRequest } from "./list.ts";
import type { UserRevocation } from "./revoke-user.ts";
import type { Revocation } from "./revoke.ts";
import type { SessionChange } from "./update.ts";
import type { ValidationRequest } from "./validate.ts";

const DEFAULT_DELETED = 1_000;

/** What CreateSession asks for. */
export function parseNewSession(request: wire.CreateSessionRequest, limits: Limits): NewSession {
  return parsed(limits, (problems) => ({
    userId: fields.userId(request.userId, "user_id", problems),
    deviceId: fields.deviceId(request.deviceId, "device_id", problems),
    client: session.client(request.client, "client", problems),
    aal: Math.max(1, request.aal),
    amr: session.amr(request.amr, "amr", problems),
    authenticateTimeMicros: optionalTime(request.authenticateTime, "authenticate_time", problems),
    idleTimeoutMicros: session.duration(request.idleTimeout, "idle_timeout", problems),
    absoluteTimeoutMicros: session.duration(request.absoluteTimeout, "absolute_timeout", problems),
    metadata: jsonFields.jsonObject(request.metadata, "metadata", problems),
    requestId: fields.wellFormed(request.requestId, "request_id", problems) || undefined,
  }));
}

/** What CreateImpersonationSession asks for. */
export function parseNewImpersonation(
  request: wire.CreateImpersonationSessionRequest,
  limits: Limits,
): NewImpersonation {
  return parsed(limits, (problems) => {
    return {
      userId: fields.userId(request.userId, "user_id", problems),
      actorId: fields.userId(request.actorId, "actor_id", problems),
      reason: fields.wellFormed(request.reason, "reason", problems),
      timeoutMicros: session.duration(request.timeout, "timeout", problems),
      client: session.client(request.client, "client", problems),
    };
  });
}

/** What ValidateSession asks for. */
export function parseValidation(request: wire.ValidateSessionRequest, limits: Limits): ValidationRequest {
  return parsed(limits, (problems) => ({
    token: request.token,
    touch: !request.withoutTouch,
    minAal: request.minAal,
    maxAuthenticationAgeMicros: session.duration(request.maxAuthenticationAge, "max_authentication_age", problems),
    deviceId: fields.deviceId(request.deviceId, "device_id", problems),
    client: session.client(request.client, "client", problems),
  }));
}

/** What ElevateSession asks for. */
export function parseElevation(request: wire.ElevateSessionRequest, limits: Limits): Elevation {
  return parsed(limits, (problems) => ({
    token: request.token,
    aal: request.aal,
    amr: session.amr(request.amr, "amr", problems),
    authenticateTimeMicros: optionalTime(request.authenticateTime, "authenticate_time", problems),
  }));
}

/** Which session a request is about; a user may leave that out, for her own. */
export function parseSessionId(text: string, caller: DataPrincipal, limits: Limits): string {
  if (text === "" && caller.kind === "user") return caller.sessionId;
  return parsed(limits, (problems) => session.sessionId(text, "session_id", problems));
}

/** Which session to end, and what to keep about it. */
export function parseRevocation(request: wire.RevokeSessionRequest, caller: DataPrincipal, limits: Limits): Revocation {
  const sessionId = parseSessionId(request.sessionId, caller, limits);
  const comment = parsed(limits, (problems) => fields.wellFormed(request.comment, "comment", problems));
  return { sessionId, comment };
}

/** What ListSessions asks for. */
export function parseSessionList(
  request: wire.ListSessionsRequest,
  caller: DataPrincipal,
  limits: Limits,
): SessionsRequest {
  return parsed(limits, (problems) => {
    const userId = fields.optionalUserId(request.userId, "user_id", problems) ?? caller.userId;
    const order = wordFor(ORDERS, request.order) ?? "createTimeMicros";
    if (order === "lastActivityTimeMicros" && userId === undefined)
      problems.add("order", "can be SESSION_ORDER_LAST_ACTIVITY_TIME only for one user");
    return { userId, status: wordFor(STATUSES, request.status), order, ...page(request) };
  });
}

/** What UpdateSession asks for. What the mask does not name may be anything, as an answer had it. */
export function parseSessionUpdate(request: wire.UpdateSessionRequest, limits: Limits): SessionChange {
  return parsed(limits, (problems) => {
    const { session: given, updateMask, expectedVersion } = request;
    const paths = updateMask?.paths ?? [];
    const text = (kind: "clientVersion" | "location" | "deviceName", name: string): SessionChange["values"] => {
      if (!paths.includes(`client.${name}`)) return {};
      return { [kind]: fields.wellFormed(given?.client?.[kind] ?? "", `session.client.${name}`, problems) };
    };
    return {
      sessionId: session.sessionId(given?.sessionId ?? "", "session.session_id", problems),
      expectedVersion: session.version(expectedVersion),
      values: {
        ...(paths.includes("metadata") && {
          metadata: jsonFields.jsonObject(given?.metadata, "session.metadata", problems),
        }),
        ...text("clientVersion", "client_version"),
        ...text("location", "location"),
        ...text("deviceName", "device_name"),
      },
    };
  });
}

/** What RevokeUserSessions asks for. */
export function parseUserRevocation(
  request: wire.RevokeUserSessionsRequest,
  caller: DataPrincipal,
  limits: Limits,
): UserRevocation {
  return parsed(limits, (problems) => {
    const { exceptSessionIds, clientType } = request;
    return {
      userId: fields.userId(request.userId === "" ? (caller.userId ?? "") : request.userId, "user_id", problems),
      exceptIds: exceptSessionIds.map((id, index) => session.sessionId(id, `except_session_ids[${index}]`, problems)),
      deviceId: fields.deviceId(request.deviceId, "device_id", problems),
      createdBeforeMicros: optionalTime(request.createdBefore, "created_before", problems),
      clientType: fields.wellFormed(clientType, "client_type", problems) || undefined,
      comment: fields.wellFormed(request.comment, "comment", problems),
    };
  });
}

/** Whose sessions to count; undefined = everybody's. */
export function parseCount(
  request: wire.CountSessionsRequest,
  caller: DataPrincipal,
  limits: Limits,
): string | undefined {
  return parsed(limits, (problems) => fields.optionalUserId(request.userId, "user_id", problems)) ?? caller.userId;
}

/** The window of GetSessionStatistics. */
export function parseWindow(request: wire.GetSessionStatisticsRequest, limits: Limits): bigint | undefined {
  return parsed(limits, (problems) => session.duration(request.window, "window", problems));
}

/** What ListUserDevices asks for. */
export function parseDeviceList(
  request: wire.ListUserDevicesRequest,
  caller: DataPrincipal,
  limits: Limits,
): DevicesRequest {
  return parsed(limits, (problems) => ({
    userId: fields.userId(request.userId === "" ? (caller.userId ?? "") : request.userId, "user_id", problems),
    ...page(request),
  }));
}

/** Which device to forget. */
export function parseDevice(request: wire.ForgetDeviceRequest, caller: DataPrincipal, limits: Limits): DeviceOfUser {
  return parsed(limits, (problems) => ({
    userId: fields.userId(request.userId === "" ? (caller.userId ?? "") : request.userId, "user_id", problems),
    deviceId: fields.wellFormed(request.deviceId, "device_id", problems),
  }));
}

/** How many sessions to delete. */
export function parseDeletion({ limit }: wire.DeleteExpiredSessionsRequest): number {
  return limit === 0 ? DEFAULT_DELETED : limit;
}

function page(request: { readonly pageSize: number; readonly pageToken: string }): ListRequest {
  return { pageSize: fields.pageSize(request.pageSize), pageToken: request.pageToken };
}

function optionalTime(
  time: Parameters<typeof times.micros>[0] | undefined,
  field: string,
  problems: Problems,
): bigint | undefined {
  return time === undefined ? undefined : times.micros(time, field, problems);
}
