import type { DataPrincipal } from "../../kernel/principal.ts";
import { reaches, type SessionContext } from "./context.ts";
import { type Totals, totalsOf } from "./domain/totals.ts";
import { countOfUser, countSessions } from "./store/counts.ts";

/** Counts the sessions of a user, or of all. */
export async function count(
  { store, clock }: SessionContext,
  caller: DataPrincipal,
  userId: string | undefined,
): Promise<Totals> {
  const { namespaceId } = caller;
  if (userId === undefined) return totalsOf((await countSessions(store, namespaceId, clock(), [])).groups);
  return reaches(caller, userId) ? countOfUser(store, namespaceId, userId, clock()) : { total: 0n, active: 0n };
}
