import { defineEntity, type InferEntity, p } from "@mikro-orm/core";
import { Int64Type } from "../../../kernel/store/int64.ts";

/** A device from which a user has used sessions. Times are microseconds since 1970, UTC. */
export const SessionDeviceEntity = defineEntity({
  name: "SessionDevice",
  tableName: "session_devices",
  schema: "*",
  properties: {
    userId: p.string().primary(),
    deviceId: p.string().primary(),
    firstSeenTimeMicros: p.type(Int64Type),
    /** As of the last session that was created on it; later activity is in the sessions. */
    lastSeenTimeMicros: p.type(Int64Type),
    clientType: p.string(),
    clientVersion: p.string(),
    userAgent: p.string(),
    ipAddress: p.string(),
    location: p.string(),
    deviceName: p.string(),
  },
});

export type SessionDeviceRow = InferEntity<typeof SessionDeviceEntity>;
