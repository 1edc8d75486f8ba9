import { fieldError } from "../../kernel/errors.ts";
import { listPage, type ListPage, type ListRequest } from "../../kernel/paging.ts";
import type { DataPrincipal } from "../../kernel/principal.ts";
import { reaches, type SessionContext } from "./context.ts";
import { type DeviceKey, deviceUses, listDevices as readDevices } from "./store/devices.ts";
import type { SessionDeviceRow } from "./store/session-device.ts";

/** A device of a user. */
export interface UserDevice extends Readonly<SessionDeviceRow> {
  readonly activeSessionCount: number;
}

/** Which page of devices to return. */
export interface DevicesRequest extends ListRequest {
  readonly userId: string;
}

/** Lists the devices of a user, the one first seen last first. Throws PAGE_TOKEN_INVALID. */
export function listDevices(
  { store, clock }: SessionContext,
  caller: DataPrincipal,
  request: DevicesRequest,
): Promise<ListPage<UserDevice>> {
  const { userId } = request;
  const { namespaceId } = caller;
  return listPage(
    request,
    ["devices", namespaceId, userId],
    ({ firstSeenTimeMicros, deviceId }) => JSON.stringify([String(firstSeenTimeMicros), deviceId]),
    async (key, limit) => {
      if (!reaches(caller, userId)) return [];
      const after = key === undefined ? undefined : deviceKeyOf(key);
      const devices = await readDevices(store, namespaceId, userId, { after, limit });
      const deviceIds = devices.map(({ deviceId }) => deviceId);
      const uses = await deviceUses(store, namespaceId, userId, { deviceIds, nowMicros: clock() });
      return devices.map((device) => withUse(device, uses.get(device.deviceId)));
    },
  );
}

/** Throws PAGE_TOKEN_INVALID. */
function deviceKeyOf(key: string): DeviceKey {
  const [time, deviceId] = JSON.parse(key) as unknown[];
  if (typeof time !== "string" || typeof deviceId !== "string")
    throw fieldError("page_token", "is not a page token", "PAGE_TOKEN_INVALID");
  return { firstSeenTimeMicros: BigInt(time), deviceId };
}

/** A device as its sessions have used it: a touch of a session does not write to the device. */
function withUse(
  device: SessionDeviceRow,
  use: { readonly lastActivityTimeMicros: bigint; readonly activeSessions: number } | undefined,
): UserDevice {
  if (use === undefined) return { ...device, activeSessionCount: 0 };
  const { lastActivityTimeMicros, activeSessions } = use;
  const isLater = lastActivityTimeMicros > device.lastSeenTimeMicros;
  const lastSeenTimeMicros = isLater ? lastActivityTimeMicros : device.lastSeenTimeMicros;
  return { ...device, lastSeenTimeMicros, activeSessionCount: activeSessions };
}
