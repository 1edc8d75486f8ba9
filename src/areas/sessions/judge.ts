import type { SessionContext } from "./context.ts";
import { endReasonOf } from "./context.ts";
import { isAuthentic, type SessionToken } from "./domain/session-token.ts";
import { type EndReason, standingOf, statusOf, type TokenStanding } from "./domain/session.ts";
import type { SessionRow } from "./store/session.ts";

/** Why a token is refused. */
export type Refusal =
  | "not-found"
  | "expired"
  | "revoked"
  | "token-superseded"
  | "token-expired"
  | "aal-too-low"
  | "authentication-too-old";

/** A token that is refused. */
export interface Refused {
  readonly valid: false;
  readonly refusal: Refusal;
  /** Why the session was ended, if it was. */
  readonly endReason?: EndReason | undefined;
}

/** A session whose token is good. */
export interface Judged {
  readonly session: SessionRow;
  readonly standing: TokenStanding;
}

/** Says whether a token of a session, or of none, is good now. */
export async function judge(
  { keys }: SessionContext,
  session: SessionRow | undefined,
  token: SessionToken,
  nowMicros: bigint,
): Promise<Judged | Refused> {
  const standing = standingOf(session, token, nowMicros);
  // As much is done for a token that was made up, for any session or none, as for one that was replaced long ago.
  const doubtful = standing === "unknown" || standing === "older";
  const authentic = !doubtful || isMadeBy(token, await keys.find(token.keyId));
  if (session === undefined || standing === "unknown" || !authentic) return refused("not-found");
  const status = statusOf(session, nowMicros);
  if (status === "revoked") return { ...refused("revoked"), endReason: endReasonOf(session) };
  if (status === "expired") return refused("expired");
  if (standing === "older" || standing === "previous-overdue") return refused("token-superseded");
  const { tokenExpireTimeMicros } = session;
  if (tokenExpireTimeMicros != null && nowMicros >= tokenExpireTimeMicros) return refused("token-expired");
  return { session, standing };
}

export function refused(refusal: Refusal): Refused {
  return { valid: false, refusal };
}

function isMadeBy(token: SessionToken, key: Parameters<typeof isAuthentic>[1] | undefined): boolean {
  return key !== undefined && isAuthentic(token, key);
}
