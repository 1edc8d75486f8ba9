import type { SatchelError } from "../../kernel/errors.ts";
import type { UserPrincipal } from "../../kernel/principal.ts";
import { credentialInvalid } from "../../kernel/rpc/authenticate.ts";
import { type SessionContext, sessionExpired, sessionRevoked } from "./context.ts";
import type { SessionToken } from "./domain/session-token.ts";
import { judge, type Refused } from "./judge.ts";
import { touchIfDue } from "./touch.ts";

/**
 * Says which user holds the token; a `use` of it is an activity, which is noted when one is due. Throws CREDENTIAL_INVALID,
 * SESSION_EXPIRED, SESSION_REVOKED.
 */
export async function authenticate(context: SessionContext, token: SessionToken, use: boolean): Promise<UserPrincipal> {
  const { namespaceId, sessionId } = token;
  const session = await context.finder.findForCredential(namespaceId, sessionId);
  const nowMicros = context.clock();
  const judged = await judge(context, session, token, nowMicros);
  if ("valid" in judged) throw credentialError(judged);
  if (use) await touchIfDue(context, namespaceId, judged.session, nowMicros);
  const { userId, deviceId, actorId } = judged.session;
  return {
    kind: "user",
    namespaceId,
    userId,
    sessionId,
    deviceId: deviceId ?? undefined,
    actorId: actorId ?? undefined,
  };
}

function credentialError({ refusal, endReason }: Refused): SatchelError {
  switch (refusal) {
    case "revoked":
      return sessionRevoked(endReason ?? "revoked");
    case "expired":
      return sessionExpired(false);
    case "token-expired":
      return sessionExpired(true);
    case "not-found":
    case "token-superseded":
    case "aal-too-low":
    case "authentication-too-old":
      return credentialInvalid();
  }
}
