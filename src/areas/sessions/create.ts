import type { CallOptions } from "../../kernel/call-options.ts";
import { fieldError } from "../../kernel/errors.ts";
import type { ServicePrincipal } from "../../kernel/principal.ts";
import type { Unit } from "../../kernel/store/unit.ts";
import { authenticationTime, type SessionContext } from "./context.ts";
import { journalSession } from "./journal.ts";
import { makeRoom } from "./make-room.ts";
import { atMost, type CreatedSession, createdFacts, newRow, type SessionParts } from "./new-session.ts";
import { sharedPolicy } from "./policy.ts";
import { lostRequest, repeatOf } from "./repeated-create.ts";
import { insertSession } from "./store/insert-session.ts";

/** The session to create. */
export interface NewSession extends SessionParts {
  readonly authenticateTimeMicros: bigint | undefined;
  readonly idleTimeoutMicros: bigint | undefined;
  readonly absoluteTimeoutMicros: bigint | undefined;
}

/** Creates a session. Throws FIELD_INVALID, SESSION_LIMIT_REACHED; for a repeat, SESSION_EXPIRED and SESSION_REVOKED. */
export async function create(
  { store, keys, clock }: SessionContext,
  caller: ServicePrincipal,
  request: NewSession,
  options: CallOptions,
): Promise<CreatedSession> {
  const { namespaceId } = caller;
  if (caller.userId !== undefined && caller.userId !== request.userId)
    throw fieldError("user_id", "must be the user that the service acts for");
  const key = await keys.active();
  const work = async (unit: Unit): Promise<CreatedSession> => {
    const nowMicros = clock();
    const { policy } = await sharedPolicy(unit);
    const renewal = { namespaceId, policy, key, nowMicros };
    // A repeat must be known before room is made for it, because that ends other sessions.
    const repeated = policy.maxSessionsPerUser === 0 ? undefined : await repeatOf(unit, request, renewal);
    if (repeated !== undefined) return repeated;
    const times = {
      nowMicros,
      authenticateTimeMicros: authenticationTime(request.authenticateTimeMicros, nowMicros),
      idleTimeoutMicros: atMost("idle_timeout", request.idleTimeoutMicros, policy.idleTimeoutMicros),
      absoluteTimeoutMicros: atMost("absolute_timeout", request.absoluteTimeoutMicros, policy.absoluteTimeoutMicros),
    };
    const evictedIds = await makeRoom(unit, request.userId, policy, nowMicros);
    const { row, token } = newRow({ namespaceId, policy, key, times }, request);
    const { inserted, newDevice } = await insertSession(unit, row);
    if (!inserted) return (await repeatOf(unit, request, renewal)) ?? lostRequest();
    journalSession(unit, row, "SessionCreated", { ...createdFacts(row), newDevice });
    if (newDevice) journalSession(unit, row, "NewDevice");
    return { session: row, token, newDevice, evictedIds };
  };
  return store.inNamespace(namespaceId, work, options);
}
