import { defineEntity, type InferEntity, p } from "@mikro-orm/core";
import { Int64Type } from "../../../kernel/store/int64.ts";
import { ADDRESS_POLICIES, EVICTIONS } from "../domain/session-policy.ts";

/** The one policy of a namespace, once it was changed. Durations are microseconds. */
export const SessionPolicyEntity = defineEntity({
  name: "SessionPolicy",
  tableName: "session_policies",
  schema: "*",
  properties: {
    /** Always 1. */
    id: p.integer().primary().autoincrement(false),
    idleTimeoutMicros: p.type(Int64Type),
    absoluteTimeoutMicros: p.type(Int64Type),
    touchIntervalMicros: p.type(Int64Type),
    rotationGraceMicros: p.type(Int64Type),
    tokenLifetimeMicros: p.type(Int64Type).nullable(),
    impersonationTimeoutMicros: p.type(Int64Type),
    maxSessionsPerUser: p.integer(),
    eviction: p.enum(EVICTIONS),
    addressPolicy: p.enum(ADDRESS_POLICIES),
    auditPeriodMicros: p.type(Int64Type),
    version: p.integer(),
  },
});

export type SessionPolicyRow = InferEntity<typeof SessionPolicyEntity>;
