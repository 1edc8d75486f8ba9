import type { DataPrincipal, ServicePrincipal } from "../../kernel/principal.ts";
import type { SessionContext } from "./context.ts";
import { DAY } from "./domain/session-policy.ts";
import { withStatus } from "./sessions.ts";
import type { SessionCount } from "./store/session-store.ts";
import { SessionEntity } from "./store/session.ts";

/** How many sessions there are. */
export interface Totals {
  readonly total: bigint;
  readonly active: bigint;
}

/** What there is. */
export interface Statistics extends Totals {
  readonly today: bigint;
  readonly thisWeek: bigint;
  /** Undefined: no window was asked for. */
  readonly inWindow: bigint | undefined;
  /** In microseconds; undefined: there is no inactive session. */
  readonly averageDuration: bigint | undefined;
  readonly byClientType: readonly (Totals & { readonly clientType: string })[];
  readonly byAal: readonly (Totals & { readonly aal: number })[];
}

/** What stands for no client type. */
const UNKNOWN = "unknown";

/** Counts sessions. */
export class SessionStatistics {
  readonly #context: SessionContext;

  constructor(context: SessionContext) {
    this.#context = context;
  }

  /** Counts the sessions of a user, or of all. */
  async count(caller: DataPrincipal, userId: string | undefined): Promise<Totals> {
    const { store, clock } = this.#context;
    const { namespaceId } = caller;
    if (userId === undefined) return sumOf((await this.#context.sessions(namespaceId).count(clock(), [])).groups);
    if (caller.userId !== undefined && caller.userId !== userId) return { total: 0n, active: 0n };
    return store.readNamespace(namespaceId, async (em) => {
      const total = await em.count(SessionEntity, { userId });
      const active = await em.count(SessionEntity, { $and: [{ userId }, withStatus("active", clock())] });
      return { total: BigInt(total), active: BigInt(active) };
    });
  }

  /** Returns statistics of all sessions; `window` is in microseconds. */
  async get({ namespaceId }: ServicePrincipal, window: bigint | undefined): Promise<Statistics> {
    const now = this.#context.clock();
    const since = [now - DAY, now - 7n * DAY, ...(window === undefined ? [] : [now - window])];
    const { groups, createdSince } = await this.#context.sessions(namespaceId).count(now, since);
    const [today = 0n, thisWeek = 0n, inWindow] = createdSince;
    const inactive = groups.reduce((sum, group) => sum + group.inactive, 0n);
    const duration = groups.reduce((sum, group) => sum + group.duration, 0n);
    return {
      ...sumOf(groups),
      today,
      thisWeek,
      inWindow,
      averageDuration: inactive === 0n ? undefined : duration / inactive,
      byClientType: grouped(groups, ({ clientType }) => (clientType === "" ? UNKNOWN : clientType))
        .map(([clientType, totals]) => ({ clientType, ...totals }))
        .toSorted((a, b) => (a.clientType < b.clientType ? -1 : 1)),
      byAal: grouped(groups, ({ aal }) => aal)
        .map(([aal, totals]) => ({ aal, ...totals }))
        .toSorted((a, b) => a.aal - b.aal),
    };
  }
}

function grouped<Key>(groups: readonly SessionCount[], keyOf: (group: SessionCount) => Key): [Key, Totals][] {
  return [...Map.groupBy(groups, keyOf)].map(([key, members]) => [key, sumOf(members)]);
}

function sumOf(groups: readonly SessionCount[]): Totals {
  const total = groups.reduce((sum, { sessions }) => sum + sessions, 0n);
  return { total, active: total - groups.reduce((sum, { inactive }) => sum + inactive, 0n) };
}
