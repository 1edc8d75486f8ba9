import type { MessageInitShape } from "@bufbuild/protobuf";
import type {
  GetSessionStatisticsResponseSchema,
  Session,
  SessionClient as WireClient,
  SessionPolicySchema,
  UserDeviceSchema,
  ValidateSessionResponse,
} from "../../gen/satchel/v1/sessions_pb.ts";
import { SessionEndReason, SessionRefusal } from "../../gen/satchel/v1/sessions_pb.ts";
import { timestamp, toDuration } from "../../kernel/rpc/times.ts";
import { endReasonOf, type SessionRecord } from "./context.ts";
import { statusOf } from "./domain/session.ts";
import { ADDRESS_POLICIES, END_REASONS, EVICTIONS, REFUSALS, STATUSES } from "./enums.ts";
import type { UserDevice } from "./list-devices.ts";
import type { SessionClient } from "./new-session.ts";
import type { VersionedPolicy } from "./policy.ts";
import type { Statistics } from "./statistics.ts";
import type { Validation } from "./validate.ts";

/** A session, with its status as of `now`; built whole, because every validation carries one. */
export function session(record: SessionRecord, now: bigint): Session {
  const { deviceId, tokenExpireTimeMicros, endTimeMicros } = record;
  return {
    $typeName: "satchel.v1.Session",
    sessionId: record.id,
    userId: record.userId,
    deviceId: deviceId ?? "",
    status: STATUSES[statusOf(record, now)],
    client: client(record),
    aal: record.aal,
    amr: JSON.parse(record.amr) as string[],
    createTime: timestamp(record.createTimeMicros),
    authenticateTime: timestamp(record.authenticateTimeMicros),
    lastActivityTime: timestamp(record.lastActivityTimeMicros),
    idleExpireTime: timestamp(record.idleExpireTimeMicros),
    absoluteExpireTime: timestamp(record.absoluteExpireTimeMicros),
    ...(tokenExpireTimeMicros == null ? {} : { tokenExpireTime: timestamp(tokenExpireTimeMicros) }),
    ...(endTimeMicros == null ? {} : { endTime: timestamp(endTimeMicros) }),
    endReason: endTimeMicros == null ? SessionEndReason.UNSPECIFIED : END_REASONS[endReasonOf(record)],
    endComment: record.endComment ?? "",
    actorId: record.actorId ?? "",
    impersonationReason: record.impersonationReason ?? "",
    ...(record.metadata == null ? {} : { metadata: record.metadata }),
    version: BigInt(record.version),
  };
}

/** Whether a token is good. */
export function validation(result: Validation, now: bigint): ValidateSessionResponse {
  const nothing = { superseded: false, newDevice: false, endReason: SessionEndReason.UNSPECIFIED };
  const answer = { $typeName: "satchel.v1.ValidateSessionResponse", ...nothing } as const;
  if (result.valid) {
    const { superseded, newDevice } = result;
    const refusal = SessionRefusal.UNSPECIFIED;
    return { ...answer, session: session(result.session, now), refusal, superseded, newDevice };
  }
  const { refusal, endReason } = result;
  return {
    ...answer,
    refusal: REFUSALS[refusal],
    ...(endReason === undefined ? {} : { endReason: END_REASONS[endReason] }),
  };
}

/** A device of a user. */
export function userDevice(device: UserDevice): MessageInitShape<typeof UserDeviceSchema> {
  return {
    deviceId: device.deviceId,
    firstSeenTime: timestamp(device.firstSeenTimeMicros),
    lastSeenTime: timestamp(device.lastSeenTimeMicros),
    client: client(device),
    activeSessionCount: BigInt(device.activeSessionCount),
  };
}

/** A policy. */
export function policy({ policy, version }: VersionedPolicy): MessageInitShape<typeof SessionPolicySchema> {
  const { tokenLifetimeMicros } = policy;
  return {
    idleTimeout: toDuration(policy.idleTimeoutMicros),
    absoluteTimeout: toDuration(policy.absoluteTimeoutMicros),
    touchInterval: toDuration(policy.touchIntervalMicros),
    rotationGrace: toDuration(policy.rotationGraceMicros),
    ...(tokenLifetimeMicros === undefined ? {} : { tokenLifetime: toDuration(tokenLifetimeMicros) }),
    impersonationTimeout: toDuration(policy.impersonationTimeoutMicros),
    maxSessionsPerUser: policy.maxSessionsPerUser,
    eviction: EVICTIONS[policy.eviction],
    addressPolicy: ADDRESS_POLICIES[policy.addressPolicy],
    auditPeriod: toDuration(policy.auditPeriodMicros),
    version: BigInt(version),
  };
}

/** Statistics of all sessions. */
export function statistics({
  total,
  active,
  today,
  thisWeek,
  inWindow,
  averageDurationMicros,
  byClientType,
  byAal,
}: Statistics): MessageInitShape<typeof GetSessionStatisticsResponseSchema> {
  return {
    totalSessions: total,
    activeSessions: active,
    sessionsToday: today,
    sessionsThisWeek: thisWeek,
    ...(inWindow === undefined ? {} : { sessionsInWindow: inWindow }),
    ...(averageDurationMicros === undefined ? {} : { averageSessionDuration: toDuration(averageDurationMicros) }),
    byClientType: byClientType.map(({ clientType, total, active }) => ({
      clientType,
      totalSessions: total,
      activeSessions: active,
    })),
    byAal: byAal.map(({ aal, total, active }) => ({ aal, totalSessions: total, activeSessions: active })),
  };
}

function client(use: SessionClient): WireClient {
  return {
    $typeName: "satchel.v1.SessionClient",
    clientType: use.clientType,
    clientVersion: use.clientVersion,
    userAgent: use.userAgent,
    ipAddress: use.ipAddress,
    location: use.location,
    deviceName: use.deviceName,
  };
}
