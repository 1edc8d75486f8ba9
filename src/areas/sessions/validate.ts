import type { CallOptions } from "../../kernel/call-options.ts";
import { fieldError } from "../../kernel/errors.ts";
import type { DataPrincipal } from "../../kernel/principal.ts";
import { reaches, type SessionContext, type SessionRecord } from "./context.ts";
import { keepAddress } from "./domain/ip-address.ts";
import { parseSessionToken } from "./domain/session-token.ts";
import { journalSession } from "./journal.ts";
import { type Judged, judge, type Refusal, type Refused, refused } from "./judge.ts";
import type { SessionClient } from "./new-session.ts";
import { sharedPolicy } from "./policy.ts";
import { hasDevice, noteDevice } from "./store/devices.ts";
import { touchIfDue } from "./touch.ts";

/** The token to validate. */
export interface ValidationRequest {
  readonly token: string;
  readonly touch: boolean;
  /** 0: any. */
  readonly minAal: number;
  /** Undefined: any. */
  readonly maxAuthenticationAgeMicros: bigint | undefined;
  /** Undefined: that of the session. */
  readonly deviceId: string | undefined;
  readonly client: SessionClient;
}

/** Whether the token is good. */
export type Validation =
  | { readonly valid: true; readonly session: SessionRecord; readonly superseded: boolean; readonly newDevice: boolean }
  | Refused;

/**
 * Says whose session a token is of, or why it is refused: one read by primary key, and a write only when one is due. Throws
 * FIELD_INVALID.
 */
export async function validate(
  context: SessionContext,
  caller: DataPrincipal,
  request: ValidationRequest,
  options: CallOptions,
): Promise<Validation> {
  // Users would fill the store and the journal with devices that they make up.
  if (caller.kind === "user" && request.deviceId !== undefined)
    throw fieldError("device_id", "can only be said by a service");
  const token = parseSessionToken(request.token);
  const own = caller.kind !== "user" || caller.sessionId === token?.sessionId;
  if (token === undefined || token.namespaceId !== caller.namespaceId || !own) return refused("not-found");
  const found = await context.finder.find(token.namespaceId, token.sessionId);
  const session = found !== undefined && reaches(caller, found.userId) ? found : undefined;
  const nowMicros = context.clock();
  const judged = await judge(context, session, token, nowMicros);
  if ("valid" in judged) return judged;
  const refusal = unmetDemand(judged.session, request, nowMicros);
  if (refusal !== undefined) return refused(refusal);
  return admit(context, caller, { request, judged, nowMicros }, options);
}

interface Admission {
  readonly request: ValidationRequest;
  readonly judged: Judged;
  readonly nowMicros: bigint;
}

/** Notes the use of the session. */
async function admit(
  context: SessionContext,
  { namespaceId }: DataPrincipal,
  { request, judged, nowMicros }: Admission,
  options: CallOptions,
): Promise<Validation> {
  const { touch, deviceId, client } = request;
  const { session, standing } = judged;
  const touched = touch ? await touchIfDue(context, namespaceId, session, nowMicros) : session;
  const elsewhere = deviceId !== undefined && deviceId !== session.deviceId;
  const newDevice =
    elsewhere && (await noteUse(context, namespaceId, { session, client: { ...client, deviceId } }, options));
  return { valid: true, session: touched, superseded: standing === "previous", newDevice };
}

interface Use {
  readonly session: SessionRecord;
  readonly client: SessionClient & { readonly deviceId: string };
}

/** Notes the device from which a session is used. Returns whether it is new. */
async function noteUse(
  { store, keys, clock }: SessionContext,
  namespaceId: DataPrincipal["namespaceId"],
  { session, client }: Use,
  options: CallOptions,
): Promise<boolean> {
  const { userId } = session;
  if (await hasDevice(store, namespaceId, userId, client.deviceId)) return false;
  const key = await keys.active();
  return store.inNamespace(
    namespaceId,
    async (unit) => {
      const { policy } = await sharedPolicy(unit);
      const ipAddress = keepAddress(client.ipAddress, policy.addressPolicy, namespaceId, key);
      const isNew = await noteDevice(unit, { ...client, ipAddress, userId }, clock());
      if (isNew) journalSession(unit, { ...session, ...client, ipAddress }, "NewDevice");
      return isNew;
    },
    options,
  );
}

function unmetDemand(
  { aal, authenticateTimeMicros }: SessionRecord,
  { minAal, maxAuthenticationAgeMicros: maximum }: ValidationRequest,
  nowMicros: bigint,
): Refusal | undefined {
  if (aal < minAal) return "aal-too-low";
  const tooOld = maximum !== undefined && nowMicros - authenticateTimeMicros > maximum;
  return tooOld ? "authentication-too-old" : undefined;
}
