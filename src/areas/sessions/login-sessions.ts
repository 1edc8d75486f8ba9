import type { SessionContext } from "./context.ts";
import { SessionCreation } from "./creation.ts";
import { SessionDevices } from "./devices.ts";
import { SessionSweep } from "./expiry-sweep.ts";
import { SessionPolicies } from "./policies.ts";
import { Sessions } from "./sessions.ts";
import { SessionStatistics } from "./statistics.ts";
import { SessionTokens } from "./tokens.ts";
import { SessionValidation } from "./validation.ts";

/** The use cases of login sessions. */
export interface LoginSessions {
  readonly creation: SessionCreation;
  readonly validation: SessionValidation;
  readonly tokens: SessionTokens;
  readonly sessions: Sessions;
  readonly devices: SessionDevices;
  readonly policies: SessionPolicies;
  readonly statistics: SessionStatistics;
  readonly sweep: SessionSweep;
}

/** Builds the use cases of login sessions. */
export function loginSessions(context: SessionContext): LoginSessions {
  return {
    creation: new SessionCreation(context),
    validation: new SessionValidation(context),
    tokens: new SessionTokens(context),
    sessions: new Sessions(context),
    devices: new SessionDevices(context),
    policies: new SessionPolicies(context),
    statistics: new SessionStatistics(context),
    sweep: new SessionSweep(context),
  };
}
