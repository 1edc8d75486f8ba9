import { SatchelError } from "../../kernel/errors.ts";
import type { DataPrincipal } from "../../kernel/principal.ts";
import { nameOf, reaches, refuseImpersonation, type SessionContext } from "./context.ts";
import { endSessions } from "./end-sessions.ts";
import { journalDevice } from "./journal.ts";
import { sharedPolicy } from "./policy.ts";
import { LOCK_OF_DEVICE } from "./store/active-sessions.ts";
import { deleteDevice, lockDevice } from "./store/devices.ts";

/** A device of a user. */
export interface DeviceOfUser {
  readonly userId: string;
  readonly deviceId: string;
}

/** Forgets a device and ends its sessions. Returns how many. Throws ACCESS_DENIED, DEVICE_NOT_FOUND. */
export async function forgetDevice(
  { store, clock }: SessionContext,
  caller: DataPrincipal,
  { userId, deviceId }: DeviceOfUser,
): Promise<number> {
  refuseImpersonation(caller);
  if (!reaches(caller, userId)) throw deviceNotFound();
  return store.aloneInNamespace(caller.namespaceId, async (unit) => {
    if ((await lockDevice(unit, userId, deviceId)) === undefined) throw deviceNotFound();
    const nowMicros = clock();
    const { auditPeriodMicros } = (await sharedPolicy(unit)).policy;
    const sessions = await unit.run(LOCK_OF_DEVICE, [userId, nowMicros, deviceId]);
    const by = nameOf(caller);
    const ending = { reason: "device-forgotten", nowMicros, auditPeriodMicros, by } as const;
    const revokedCount = (await endSessions(unit, sessions, ending)).length;
    await deleteDevice(unit, userId, deviceId);
    journalDevice(unit, userId, deviceId, "DeviceForgotten", { revokedCount, by });
    return revokedCount;
  });
}

function deviceNotFound(): SatchelError {
  return new SatchelError("DEVICE_NOT_FOUND", "there is no such device");
}
