import type { SessionContext } from "./session-context.ts";
import { SessionCreation } from "./session-creation.ts";
import { SessionDevices } from "./session-devices.ts";
import { SessionPolicies } from "./session-policies.ts";
import { SessionStatistics } from "./session-statistics.ts";
import { SessionSweep } from "./session-sweep.ts";
import { SessionTokens } from "./session-tokens.ts";
import { SessionValidation } from "./session-validation.ts";
import { Sessions } from "./sessions.ts";

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
