import { insertNamespace } from "../../src/areas/namespaces/store/namespace-rows.ts";
import type { NewSession } from "../../src/areas/sessions/create.ts";
import type { CreatedSession } from "../../src/areas/sessions/new-session.ts";
import { SessionFinder } from "../../src/areas/sessions/store/find-many.ts";
import { type LoginSessions, loginSessions } from "../../src/areas/sessions/use-cases.ts";
import { DEFAULT_LIMITS } from "../../src/config/limits.ts";
import type { ServiceKey } from "../../src/kernel/crypto/service-key.ts";
import { ServiceKeys } from "../../src/kernel/crypto/service-keys.ts";
import type { NamespaceId } from "../../src/kernel/namespace-id.ts";
import type { ServicePrincipal } from "../../src/kernel/principal.ts";
import type { Store } from "../../src/kernel/store/store.ts";
import { type EngineName, openEngine } from "./engines.ts";
import { storeOn } from "./stores.ts";

/** The use cases of sessions on a store of their own, by clocks that stand still unless they are moved. */
export interface SessionServices extends AsyncDisposable {
  readonly store: Store;
  /** As a process has them whose clock is off by `skewMicros`, and whose key file has these keys. */
  process(options?: { readonly skewMicros?: bigint; readonly keys?: readonly ServiceKey[] }): LoginSessions;
  /** Moves all clocks. */
  pass(micros: bigint): void;
  /** A new namespace, and a service that may do everything in it. */
  namespace(): Promise<ServicePrincipal>;
}

const BEGIN = 1_900_000_000_000_000n;
const CLIENT = { clientType: "", clientVersion: "", userAgent: "", ipAddress: "", location: "", deviceName: "" };

/** Opens an empty store. */
export async function openSessionServices(name: EngineName): Promise<SessionServices> {
  const engine = await openEngine(name);
  const store = storeOn(engine.engine);
  const finder = new SessionFinder(store);
  let now = BEGIN;
  let count = 0;
  return {
    store,
    process: ({ skewMicros = 0n, keys = [] } = {}) => {
      const clock = () => now + skewMicros;
      return loginSessions({ store, finder, keys: new ServiceKeys(store, keys), limits: DEFAULT_LIMITS, clock });
    },
    pass: (micros) => {
      now += micros;
    },
    async namespace() {
      const namespaceId = `test-${count++}` as NamespaceId;
      await store.transact((em) =>
        insertNamespace(em, engine.engine, { namespaceId, description: "", nowMicros: now }),
      );
      return { kind: "service", namespaceId, role: "admin", tokenId: "test" };
    },
    [Symbol.asyncDispose]: () => engine[Symbol.asyncDispose](),
  };
}

/** Creates a session of the user `ann`. */
export function createSession(
  { create }: LoginSessions,
  caller: ServicePrincipal,
  request: Partial<NewSession> = {},
): Promise<CreatedSession> {
  const session: NewSession = {
    userId: "ann",
    deviceId: undefined,
    client: CLIENT,
    aal: 1,
    amr: [],
    authenticateTimeMicros: undefined,
    idleTimeoutMicros: undefined,
    absoluteTimeoutMicros: undefined,
    metadata: null,
    requestId: undefined,
    ...request,
  };
  return create(caller, session, {});
}

/** What a validation says: "good", or the refusal. */
export async function worth({ validate }: LoginSessions, caller: ServicePrincipal, token: string): Promise<string> {
  const request = {
    token,
    touch: true,
    minAal: 0,
    maxAuthenticationAgeMicros: undefined,
    deviceId: undefined,
    client: CLIENT,
  };
  const result = await validate(caller, request, {});
  return result.valid ? "good" : result.refusal;
}

/** What a refresh comes to: a token, or the reason of its failure. */
export async function refreshed(
  { refresh }: LoginSessions,
  token: string,
): Promise<{ token?: string; reason?: string }> {
  try {
    return { token: (await refresh(token, {})).token };
  } catch (error) {
    return { reason: (error as { readonly reason: string }).reason };
  }
}
