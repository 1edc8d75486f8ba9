import { defineEntity, type InferEntity, p } from "@mikro-orm/core";
import { Int64Type } from "../../../kernel/store/int64.ts";

/**
 * A login session. Of its token it has the SHA-256, never the token. Times are microseconds since 1970, UTC, and
 * durations microseconds. Whether it is in use is computed, never stored: only an end before its time is.
 */
export const SessionEntity = defineEntity({
  name: "Session",
  tableName: "sessions",
  schema: "*",
  properties: {
    id: p.string().primary(),
    userId: p.string(),
    deviceId: p.string().nullable(),
    tokenHash: p.blob(),
    /** The id of the service key that the token was made with. */
    tokenKey: p.string(),
    /** Which successor of the first token it is, from 0. */
    tokenGeneration: p.integer(),
    tokenExpireTimeMicros: p.type(Int64Type).nullable(),
    /** The token before, until its grace is over. */
    previousHash: p.blob().nullable(),
    previousExpireTimeMicros: p.type(Int64Type).nullable(),
    createTimeMicros: p.type(Int64Type),
    authenticateTimeMicros: p.type(Int64Type),
    lastActivityTimeMicros: p.type(Int64Type),
    idleTimeoutMicros: p.type(Int64Type),
    touchIntervalMicros: p.type(Int64Type),
    idleExpireTimeMicros: p.type(Int64Type),
    absoluteExpireTimeMicros: p.type(Int64Type),
    /** When the sweep looks at it next; never later than there is something to do, and not written by a touch. */
    sweepTimeMicros: p.type(Int64Type),
    endTimeMicros: p.type(Int64Type).nullable(),
    endReason: p.string().nullable(),
    endComment: p.string().nullable(),
    aal: p.integer(),
    /** A JSON array of strings. */
    amr: p.text(),
    actorId: p.string().nullable(),
    impersonationReason: p.string().nullable(),
    clientType: p.string(),
    clientVersion: p.string(),
    userAgent: p.string(),
    ipAddress: p.string(),
    location: p.string(),
    deviceName: p.string(),
    /** A JSON object, as text. */
    metadata: p.text().nullable(),
    requestId: p.string().nullable(),
    version: p.integer(),
  },
});

export type SessionRow = InferEntity<typeof SessionEntity>;
