import { type FilterQuery, LockMode } from "@mikro-orm/core";
import { fieldError, SatchelError } from "../../kernel/errors.ts";
import { listPage, type ListPage, type ListRequest } from "../../kernel/paging.ts";
import type { DataPrincipal } from "../../kernel/principal.ts";
import { refuseImpersonation, type SessionContext } from "./context.ts";
import { endSession } from "./end-sessions.ts";
import { journalDevice } from "./journal.ts";
import { sharedPolicy } from "./policies.ts";
import { nameOf, withStatus } from "./sessions.ts";
import { SessionDeviceEntity, type SessionDeviceRow } from "./store/session-device.ts";
import type { DeviceUse } from "./store/session-store.ts";
import { SessionEntity } from "./store/session.ts";

/** A device of a user. */
export interface UserDevice extends Readonly<SessionDeviceRow> {
  readonly activeSessionCount: number;
}

/** Which page of devices to return. */
export interface DevicesRequest extends ListRequest {
  readonly userId: string;
}

/** The devices from which users use sessions. */
export class SessionDevices {
  readonly #context: SessionContext;

  constructor(context: SessionContext) {
    this.#context = context;
  }

  /** Lists the devices of a user, the one first seen last first. Throws PAGE_TOKEN_INVALID. */
  list(caller: DataPrincipal, request: DevicesRequest): Promise<ListPage<UserDevice>> {
    const { store, clock } = this.#context;
    const { userId } = request;
    return listPage(
      request,
      ["devices", caller.namespaceId, userId],
      ({ firstSeenTime, deviceId }) => JSON.stringify([String(firstSeenTime), deviceId]),
      async (after, limit) => {
        if (caller.userId !== undefined && caller.userId !== userId) return [];
        const devices = await store.readNamespace(caller.namespaceId, (em) =>
          em.find(SessionDeviceEntity, devicesAfter(userId, after), {
            orderBy: [{ firstSeenTime: "desc" }, { deviceId: "desc" }],
            limit,
          }),
        );
        const ids = devices.map(({ deviceId }) => deviceId);
        const uses = await this.#context.sessions(caller.namespaceId).deviceUses(userId, ids, clock());
        return devices.map((device) => withUse(device, uses.get(device.deviceId)));
      },
    );
  }

  /** Forgets a device and ends its sessions. Returns how many. Throws DEVICE_NOT_FOUND. */
  async forget(caller: DataPrincipal, userId: string, deviceId: string): Promise<number> {
    refuseImpersonation(caller);
    const { store, clock } = this.#context;
    if (caller.userId !== undefined && caller.userId !== userId) throw deviceNotFound();
    return store.aloneInNamespace(caller.namespaceId, async (unit) => {
      const lock = { lockMode: LockMode.PESSIMISTIC_WRITE } as const;
      const device = await unit.em.findOne(SessionDeviceEntity, { userId, deviceId }, lock);
      if (device === null) throw deviceNotFound();
      const now = clock();
      const { policy } = await sharedPolicy(unit);
      const condition = { $and: [{ userId, deviceId }, withStatus("active", now)] };
      const sessions = await unit.em.find(SessionEntity, condition, {
        ...lock,
        orderBy: { createTime: "asc", id: "asc" },
      });
      const by = nameOf(caller);
      const ending = { reason: "device-forgotten", now, auditPeriod: policy.auditPeriod, by } as const;
      const revokedCount = sessions.filter((session) => endSession(unit, session, ending)).length;
      unit.em.remove(device);
      journalDevice(unit, userId, deviceId, "DeviceForgotten", { revokedCount, by });
      return revokedCount;
    });
  }
}

function deviceNotFound(): SatchelError {
  return new SatchelError("DEVICE_NOT_FOUND", "there is no such device");
}

function devicesAfter(userId: string, after: string | undefined): FilterQuery<SessionDeviceRow> {
  if (after === undefined) return { userId };
  const [time, deviceId] = JSON.parse(after) as unknown[];
  if (typeof time !== "string" || typeof deviceId !== "string")
    throw fieldError("page_token", "is not a page token", "PAGE_TOKEN_INVALID");
  const firstSeenTime = BigInt(time);
  return { userId, $or: [{ firstSeenTime: { $lt: firstSeenTime } }, { firstSeenTime, deviceId: { $lt: deviceId } }] };
}

/** What the sessions on a device say of it: their activity is later than what the device itself knows. */
function withUse(device: SessionDeviceRow, use: DeviceUse | undefined): UserDevice {
  if (use === undefined) return { ...device, activeSessionCount: 0 };
  const { lastActivityTime, activeSessions } = use;
  const lastSeenTime = lastActivityTime > device.lastSeenTime ? lastActivityTime : device.lastSeenTime;
  return { ...device, lastSeenTime, activeSessionCount: activeSessions };
}
