import type { MessageInitShape } from "@bufbuild/protobuf";
import type { Duration } from "@bufbuild/protobuf/wkt";
import type {
  GetSessionStatisticsResponseSchema,
  Session,
  SessionClient as WireClient,
  SessionPolicySchema,
  UserDeviceSchema,
  ValidateSessionResponse,
} from "../../gen/satchel/v1/sessions_pb.ts";
import { SessionEndReason, SessionRefusal } from "../../gen/satchel/v1/sessions_pb.ts";
import { timestamp } from "../../kernel/rpc/times.ts";
import { endReasonOf, type SessionRecord } from "./context.ts";
import type { SessionClient } from "./creation.ts";
import type { UserDevice } from "./devices.ts";
import { statusOf } from "./domain/session.ts";
import { ADDRESS_POLICIES, END_REASONS, EVICTIONS, REFUSALS, STATUSES } from "./enums.ts";
import type { VersionedPolicy } from "./policies.ts";
import type { Statistics } from "./statistics.ts";
import type { Validation } from "./validation.ts";

const MICROS_PER_SECOND = 1_000_000n;
const NANOS_PER_MICRO = 1_000;

/** A session, with its status as of `now`; built whole, because every validation carries one. */
export function session(record: SessionRecord, now: bigint): Session {
  const { deviceId, tokenExpireTime, endTime } = record;
  return {
    $typeName: "satchel.v1.Session",
    sessionId: record.id,
    userId: record.userId,
    deviceId: deviceId ?? "",
    status: STATUSES[statusOf(record, now)],
    client: client(record),
    aal: record.aal,
    amr: JSON.parse(record.amr) as string[],
    createTime: timestamp(record.createTime),
    authenticateTime: timestamp(record.authenticateTime),
    lastActivityTime: timestamp(record.lastActivityTime),
    idleExpireTime: timestamp(record.idleExpireTime),
    absoluteExpireTime: timestamp(record.absoluteExpireTime),
    ...(tokenExpireTime == null ? {} : { tokenExpireTime: timestamp(tokenExpireTime) }),
    ...(endTime == null ? {} : { endTime: timestamp(endTime) }),
    endReason: endTime == null ? SessionEndReason.UNSPECIFIED : END_REASONS[endReasonOf(record)],
    endComment: record.endComment ?? "",
    actorId: record.actorId ?? "",
    impersonationReason: record.impersonationReason ?? "",
    ...(record.metadata == null ? {} : { metadata: record.metadata }),
    version: BigInt(record.version),
  };
}

/** What a token is worth. */
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
    firstSeenTime: timestamp(device.firstSeenTime),
    lastSeenTime: timestamp(device.lastSeenTime),
    client: client(device),
    activeSessionCount: BigInt(device.activeSessionCount),
  };
}

/** A policy. */
export function policy({ policy, version }: VersionedPolicy): MessageInitShape<typeof SessionPolicySchema> {
  const { tokenLifetime } = policy;
  return {
    idleTimeout: duration(policy.idleTimeout),
    absoluteTimeout: duration(policy.absoluteTimeout),
    touchInterval: duration(policy.touchInterval),
    rotationGrace: duration(policy.rotationGrace),
    ...(tokenLifetime === undefined ? {} : { tokenLifetime: duration(tokenLifetime) }),
    impersonationTimeout: duration(policy.impersonationTimeout),
    maxSessionsPerUser: policy.maxSessionsPerUser,
    eviction: EVICTIONS[policy.eviction],
    addressPolicy: ADDRESS_POLICIES[policy.addressPolicy],
    auditPeriod: duration(policy.auditPeriod),
    version: BigInt(version),
  };
}

/** What there is. */
export function statistics({
  total,
  active,
  today,
  thisWeek,
  inWindow,
  averageDuration,
  byClientType,
  byAal,
}: Statistics): MessageInitShape<typeof GetSessionStatisticsResponseSchema> {
  return {
    totalSessions: total,
    activeSessions: active,
    sessionsToday: today,
    sessionsThisWeek: thisWeek,
    ...(inWindow === undefined ? {} : { sessionsInWindow: inWindow }),
    ...(averageDuration === undefined ? {} : { averageSessionDuration: duration(averageDuration) }),
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

function duration(micros: bigint): Duration {
  return {
    $typeName: "google.protobuf.Duration",
    seconds: micros / MICROS_PER_SECOND,
    nanos: Number(micros % MICROS_PER_SECOND) * NANOS_PER_MICRO,
  };
}
