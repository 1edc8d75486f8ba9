import type { ServicePrincipal } from "../../kernel/principal.ts";
import type { SessionContext } from "./context.ts";
import { DAY_MICROS } from "./domain/session-policy.ts";
import { type Totals, totalsOf } from "./domain/totals.ts";
import { countSessions, type SessionCount } from "./store/counts.ts";

/** Statistics of all sessions of a namespace. */
export interface Statistics extends Totals {
  readonly today: bigint;
  readonly thisWeek: bigint;
  /** Undefined: no window was asked for. */
  readonly inWindow: bigint | undefined;
  /** Undefined: there is no inactive session. */
  readonly averageDurationMicros: bigint | undefined;
  readonly byClientType: readonly (Totals & { readonly clientType: string })[];
  readonly byAal: readonly (Totals & { readonly aal: number })[];
}

/** Stands for no client type. */
const UNKNOWN = "unknown";

/** Returns statistics of all sessions. */
export async function statistics(
  { store, clock }: SessionContext,
  { namespaceId }: ServicePrincipal,
  windowMicros: bigint | undefined,
): Promise<Statistics> {
  const nowMicros = clock();
  const windows = [DAY_MICROS, 7n * DAY_MICROS, ...(windowMicros === undefined ? [] : [windowMicros])];
  const since = windows.map((micros) => nowMicros - micros);
  const { groups, createdSince } = await countSessions(store, namespaceId, nowMicros, since);
  const [today = 0n, thisWeek = 0n, inWindow] = createdSince;
  const inactive = groups.reduce((sum, group) => sum + group.inactive, 0n);
  const durationMicros = groups.reduce((sum, group) => sum + group.durationMicros, 0n);
  return {
    ...totalsOf(groups),
    today,
    thisWeek,
    inWindow,
    averageDurationMicros: inactive === 0n ? undefined : durationMicros / inactive,
    byClientType: grouped(groups, ({ clientType }) => (clientType === "" ? UNKNOWN : clientType))
      .map(([clientType, totals]) => ({ clientType, ...totals }))
      .toSorted((a, b) => (a.clientType < b.clientType ? -1 : 1)),
    byAal: grouped(groups, ({ aal }) => aal)
      .map(([aal, totals]) => ({ aal, ...totals }))
      .toSorted((a, b) => a.aal - b.aal),
  };
}

function grouped<Key>(groups: readonly SessionCount[], keyOf: (group: SessionCount) => Key): [Key, Totals][] {
  return [...Map.groupBy(groups, keyOf)].map(([key, members]) => [key, totalsOf(members)]);
}
