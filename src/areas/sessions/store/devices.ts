import type { NamespaceId } from "../../../kernel/namespace-id.ts";
import type { Runner } from "../../../kernel/store/runner.ts";
import { command, statement } from "../../../kernel/store/statement.ts";
import type { Store } from "../../../kernel/store/store.ts";
import { tableOf } from "../../../kernel/store/table.ts";
import { activeAt } from "./active-sessions.ts";
import { SessionDeviceEntity, type SessionDeviceRow } from "./session-device.ts";

const DEVICES = tableOf(SessionDeviceEntity);
const SEEN = [
  "lastSeenTimeMicros",
  "clientType",
  "clientVersion",
  "userAgent",
  "ipAddress",
  "location",
  "deviceName",
] as const satisfies readonly (keyof SessionDeviceRow)[];
const NEWEST_FIRST = "ORDER BY first_seen_time_micros DESC, device_id DESC";

const INSERT = DEVICES.insert();
const UPDATE = command(`UPDATE {session_devices} SET ${DEVICES.set(SEEN, 3)} WHERE user_id = $1 AND device_id = $2`);
const DELETE = command("DELETE FROM {session_devices} WHERE user_id = $1 AND device_id = $2");
const LOCK = DEVICES.select("WHERE user_id = $1 AND device_id = $2 {for update}");
const HAS = statement({ id: "text" }, "SELECT device_id FROM {session_devices} WHERE user_id = $1 AND device_id = $2");
const FIRST_PAGE = DEVICES.select(`WHERE user_id = $1 ${NEWEST_FIRST} LIMIT $2`);
const NEXT_PAGE = DEVICES.select(
  `WHERE user_id = $1 AND (first_seen_time_micros, device_id) < ($3, $4)
  ${NEWEST_FIRST} LIMIT $2`,
);
const USES = statement(
  { deviceId: "text", lastActivityTimeMicros: "int64", activeSessions: "integer" },
  `SELECT device_id, max(last_activity_time_micros), count(CASE WHEN ${activeAt("$3")} THEN 1 END)
  FROM {sessions} WHERE user_id = $1 AND device_id IN ({each $2 text}) GROUP BY device_id`,
);

/** A use of a device. */
export type DeviceUse = Pick<
  SessionDeviceRow,
  "userId" | "deviceId" | "clientType" | "clientVersion" | "userAgent" | "ipAddress" | "location" | "deviceName"
>;

/** Notes a device of a user as used at a time. Returns whether it is new. */
export async function noteDevice(unit: Runner, use: DeviceUse, nowMicros: bigint): Promise<boolean> {
  const { userId, deviceId, clientType, clientVersion, userAgent, ipAddress, location, deviceName } = use;
  const client = { clientType, clientVersion, userAgent, ipAddress, location, deviceName };
  const device = { userId, deviceId, firstSeenTimeMicros: nowMicros, lastSeenTimeMicros: nowMicros, ...client };
  if ((await unit.change(UPDATE, [userId, deviceId, ...DEVICES.pick(device, SEEN)])) > 0) return false;
  await unit.change(INSERT, DEVICES.values(device));
  return true;
}

/** Whether the user has used the device before. */
export async function hasDevice(
  store: Store,
  namespaceId: NamespaceId,
  userId: string,
  deviceId: string,
): Promise<boolean> {
  return (await store.run(namespaceId, HAS, [userId, deviceId])).length > 0;
}

/** A device, which nobody else changes before the unit of work ends. */
export async function lockDevice(
  unit: Runner,
  userId: string,
  deviceId: string,
): Promise<SessionDeviceRow | undefined> {
  const [device] = await unit.run(LOCK, [userId, deviceId]);
  return device;
}

/** Deletes a device. */
export async function deleteDevice(unit: Runner, userId: string, deviceId: string): Promise<void> {
  await unit.change(DELETE, [userId, deviceId]);
}

/** Where a page of devices begins: after this one. */
export interface DeviceKey {
  readonly firstSeenTimeMicros: bigint;
  readonly deviceId: string;
}

/** Devices of a user, the one first seen last first. */
export async function listDevices(
  store: Store,
  namespaceId: NamespaceId,
  userId: string,
  { after, limit }: { readonly after: DeviceKey | undefined; readonly limit: number },
): Promise<readonly SessionDeviceRow[]> {
  if (after === undefined) return store.run(namespaceId, FIRST_PAGE, [userId, limit]);
  return store.run(namespaceId, NEXT_PAGE, [userId, limit, after.firstSeenTimeMicros, after.deviceId]);
}

/** How the sessions of a user use some of the user's devices; a device without sessions is left out. */
export async function deviceUses(
  store: Store,
  namespaceId: NamespaceId,
  userId: string,
  { deviceIds, nowMicros }: { readonly deviceIds: readonly string[]; readonly nowMicros: bigint },
) {
  const uses = await store.run(namespaceId, USES, [userId, deviceIds, nowMicros]);
  return new Map(uses.map((use) => [use.deviceId, use]));
}
