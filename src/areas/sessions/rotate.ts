import type { CallOptions } from "../../kernel/call-options.ts";
import type { DataPrincipal } from "../../kernel/principal.ts";
import type { SessionContext } from "./context.ts";
import { journalSession } from "./journal.ts";
import { ownToken, type RenewedSession, type Replacement, replace } from "./replace-token.ts";

/** Replaces a token. Throws as `replace` does. */
export async function rotate(
  context: SessionContext,
  caller: DataPrincipal,
  text: string,
  options: CallOptions,
): Promise<RenewedSession> {
  const apply: Replacement["apply"] = (unit, session, _nowMicros, first) => {
    if (first)
      journalSession(unit, session, "SessionRotated", { cause: "rotate", generation: session.tokenGeneration });
    return session;
  };
  return replace(context, { token: ownToken(caller, text), userId: caller.userId, apply }, options);
}
