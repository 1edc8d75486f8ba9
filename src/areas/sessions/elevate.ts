import type { CallOptions } from "../../kernel/call-options.ts";
import { fieldError } from "../../kernel/errors.ts";
import type { ServicePrincipal } from "../../kernel/principal.ts";
import { authenticationTime, type SessionContext } from "./context.ts";
import { journalSession } from "./journal.ts";
import { ownToken, type RenewedSession, type Replacement, replace } from "./replace-token.ts";

/** The authentication to note. */
export interface Elevation {
  readonly token: string;
  readonly aal: number;
  readonly amr: readonly string[];
  readonly authenticateTimeMicros: bigint | undefined;
}

const MAX_AMR = 10;

/** Notes another authentication, and replaces the token. Throws FIELD_INVALID, and as `replace` does. */
export async function elevate(
  context: SessionContext,
  caller: ServicePrincipal,
  elevation: Elevation,
  options: CallOptions,
): Promise<RenewedSession> {
  const apply: Replacement["apply"] = (unit, session, nowMicros, first) => {
    const { aal, amr } = elevation;
    if (aal < session.aal) throw fieldError("aal", `must not be lower than the session's, which is ${session.aal}`);
    const methods = [...new Set([...(JSON.parse(session.amr) as string[]), ...amr])];
    if (methods.length > MAX_AMR) throw fieldError("amr", `must not make more than ${MAX_AMR} methods in all`);
    // The repeat of a call whose answer was lost.
    if (!first && aal === session.aal && JSON.stringify(methods) === session.amr) return session;
    const elevated = {
      ...session,
      aal,
      amr: JSON.stringify(methods),
      authenticateTimeMicros: authenticationTime(elevation.authenticateTimeMicros, nowMicros),
      version: session.version + 1,
    };
    journalSession(unit, elevated, "SessionElevated", { aal, amr: methods, by: caller.tokenId });
    return elevated;
  };
  return replace(context, { token: ownToken(caller, elevation.token), userId: caller.userId, apply }, options);
}
