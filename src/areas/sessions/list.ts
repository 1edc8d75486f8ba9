import { fieldError } from "../../kernel/errors.ts";
import { listPage, type ListPage, type ListRequest } from "../../kernel/paging.ts";
import type { DataPrincipal } from "../../kernel/principal.ts";
import { reaches, type SessionContext, type SessionRecord } from "./context.ts";
import type { SessionStatus } from "./domain/session.ts";
import { listSessions, type SessionOrder, type SessionSelection } from "./store/list.ts";

/** Which page of sessions to return. */
export interface SessionsRequest extends ListRequest {
  /** Undefined: all users'. */
  readonly userId: string | undefined;
  readonly status: SessionStatus | undefined;
  readonly order: SessionOrder;
}

/** Lists sessions, the latest first. Throws PAGE_TOKEN_INVALID. */
export function list(
  { store, clock }: SessionContext,
  caller: DataPrincipal,
  request: SessionsRequest,
): Promise<ListPage<SessionRecord>> {
  const { status, order } = request;
  const userId = request.userId ?? caller.userId;
  const nowMicros = clock();
  return listPage(
    request,
    ["sessions", caller.namespaceId, caller.userId ?? "", request.userId ?? "", status ?? "", order],
    (session) => `${session[order]}/${session.id}`,
    async (key, limit) => {
      if (userId !== undefined && !reaches(caller, userId)) return [];
      const after = key === undefined ? undefined : positionOf(key);
      return listSessions(store, caller.namespaceId, { order, userId, status, nowMicros, after, limit });
    },
  );
}

/** Throws PAGE_TOKEN_INVALID. */
function positionOf(key: string): SessionSelection["after"] {
  const [time = "", id = ""] = key.split("/");
  if (!/^-?\d+$/.test(time)) throw fieldError("page_token", "is not a page token", "PAGE_TOKEN_INVALID");
  return { timeMicros: BigInt(time), id };
}
