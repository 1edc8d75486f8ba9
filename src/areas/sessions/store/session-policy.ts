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
    idleTimeout: p.type(Int64Type),
    absoluteTimeout: p.type(Int64Type),
    touchInterval: p.type(Int64Type),
    rotationGrace: p.type(Int64Type),
    tokenLifetime: p.type(Int64Type).nullable(),
    impersonationTimeout: p.type(Int64Type),
    maxSessionsPerUser: p.integer(),
    eviction: p.enum(EVICTIONS),
    addressPolicy: p.enum(ADDRESS_POLICIES),
    auditPeriod: p.type(Int64Type),
    version: p.integer(),
  },
});

export type SessionPolicyRow = InferEntity<typeof SessionPolicyEntity>;
