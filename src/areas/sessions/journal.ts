import { createHash } from "node:crypto";
import type { JournalMessage } from "../../kernel/journal.ts";
import type { Unit } from "../../kernel/store/unit.ts";
import { newUuid } from "../../kernel/uuid.ts";
import type { SessionRecord } from "./context.ts";

/** What the journal says of sessions. */
export type SessionEvent =
  | "SessionCreated"
  | "NewDevice"
  | "SessionElevated"
  | "SessionRotated"
  | "SessionUpdated"
  | "RefreshReused"
  | "SessionEvicted"
  | "SessionRevoked"
  | "SessionExpired"
  | "SessionDeleted"
  | "DeviceForgotten"
  | "SessionPolicyUpdated";

type Facts = Readonly<Record<string, unknown>>;

/** Notes what has happened to a session: whose it is and where it is used, and `facts`. Never a token, nor a part of one. */
export function journalSession(unit: Unit, session: SessionRecord, type: SessionEvent, facts: Facts = {}): void {
  const { id, userId, deviceId, actorId, clientType, ipAddress, location } = session;
  const data = {
    sessionId: id,
    userId,
    ...(deviceId == null ? {} : { deviceId }),
    ...(actorId == null ? {} : { actorId }),
    ...withoutEmpty({ clientType, ipAddress, location }),
    ...facts,
  };
  unit.journal(`$session-${id}`, [message(type, data)]);
}

/** Notes what has happened to a device, in a stream whose name has no part of the user's id. */
export function journalDevice(unit: Unit, userId: string, deviceId: string, type: SessionEvent, facts: Facts): void {
  const id = createHash("sha256")
    .update(JSON.stringify([userId, deviceId]))
    .digest("hex")
    .slice(0, 32);
  unit.journal(`$session-device+${id}`, [message(type, { userId, deviceId, ...facts })]);
}

/** Notes that the policy was changed. */
export function journalPolicy(unit: Unit, facts: Facts): void {
  unit.journal("$session-policy", [message("SessionPolicyUpdated", facts)]);
}

/** Those of the texts that say something. */
export function withoutEmpty(texts: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(texts).filter(([, text]) => text !== ""));
}

function message(type: SessionEvent, data: Facts): JournalMessage {
  return { id: newUuid(), type, data: JSON.stringify(data), metadata: null };
}
