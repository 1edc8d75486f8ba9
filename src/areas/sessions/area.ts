import type { Area } from "../../kernel/area.ts";
import { parseSessionToken } from "./domain/session-token.ts";
import { sweepExpired } from "./expiry-sweeper.ts";
import { sessionRoutes } from "./handlers.ts";
import { SessionFinder } from "./store/find-many.ts";
import { SESSIONS as SESSIONS_ON_POSTGRESQL } from "./store/migrations/migrations.postgres.ts";
import { SESSIONS as SESSIONS_ON_SQLITE } from "./store/migrations/migrations.sqlite.ts";
import { SessionDeviceEntity } from "./store/session-device.ts";
import { SessionPolicyEntity } from "./store/session-policy.ts";
import { SessionEntity } from "./store/session.ts";
import { type LoginSessions, loginSessions } from "./use-cases.ts";

/** What the area needs of the configuration. */
export interface SessionSettings {
  readonly tuning?: { readonly sessions?: Partial<SessionTuning> | undefined } | undefined;
}

/** How the area works inside; nobody configures it, and tests choose it. */
export interface SessionTuning {
  /** How long after a search for expired sessions the next one begins. */
  readonly sweepIntervalMs: number;
}

const SWEEP_INTERVAL_MS = 60_000;
/** How many namespaces are looked up at once. */
const SWEEP_NAMESPACES = 100;

/** Login sessions of users on devices. */
export const sessionsArea: Area<LoginSessions, SessionSettings> = {
  name: "sessions",
  migrations: { postgresql: SESSIONS_ON_POSTGRESQL, sqlite: SESSIONS_ON_SQLITE },
  namespaceEntities: [SessionEntity, SessionDeviceEntity, SessionPolicyEntity],
  start({ store, keys, limits, clock, log }, { tuning }) {
    const context = { store, finder: new SessionFinder(store), keys, limits, clock };
    const api = loginSessions(context);
    return {
      api,
      routes: sessionRoutes(api, limits, clock),
      authenticate(text, use) {
        const token = parseSessionToken(text);
        return token === undefined ? undefined : api.authenticate(token, use);
      },
      work() {
        const stop = new AbortController();
        const failed = (namespaceId: string | undefined, err: unknown): void =>
          log.warn({ err, namespaceId }, "expired sessions could not be deleted");
        const running = sweepExpired(context, {
          intervalMs: tuning?.sessions?.sweepIntervalMs ?? SWEEP_INTERVAL_MS,
          maxNamespaces: SWEEP_NAMESPACES,
          signal: stop.signal,
          failed,
        });
        return {
          async [Symbol.asyncDispose]() {
            stop.abort();
            await running;
          },
        };
      },
    };
  },
};
