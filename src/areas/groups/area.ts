import type { Area } from "../../kernel/area.ts";
import { systemClock } from "../../kernel/clock.ts";
import { streamsArea, streamStore } from "../streams/area.ts";
import { Consumers } from "./delivery/consumers.ts";
import { consumerGroupRoutes } from "./handlers.ts";
import { GROUPS as GROUPS_ON_POSTGRESQL } from "./store/migrations/migrations.postgres.ts";
import { GROUPS as GROUPS_ON_SQLITE } from "./store/migrations/migrations.sqlite.ts";
import { groupStore } from "./store/stores.ts";

/** What the area needs of the configuration. */
export interface GroupAreaSettings {
  /** Not configuration: tests choose their own. */
  readonly tuning?: { readonly groups?: { readonly tickMs?: number } | undefined } | undefined;
}

/** What other areas and the application use of consumer groups. */
export interface GroupsApi {
  readonly consumers: Consumers;
}

/** Consumer groups that keep their own checkpoints. */
export const groupsArea: Area<GroupsApi, GroupAreaSettings> = {
  name: "groups",
  migrations: { postgresql: GROUPS_ON_POSTGRESQL, sqlite: GROUPS_ON_SQLITE },
  start(kernel, { tuning }) {
    const { store, limits, clock } = kernel;
    const source = {
      streams: (id: Parameters<typeof streamStore>[1]) => streamStore(store.engine, id),
      consumerGroups: (id: Parameters<typeof groupStore>[1]) => groupStore(store, id),
      announce: store.announce.bind(store),
    };
    const consumers = new Consumers({
      store: source,
      feed: kernel.use(streamsArea).feed,
      // Not the injected clock: tests that move it must not end deadlines of deliveries.
      clock: systemClock(),
      tickMs: tuning?.groups?.tickMs,
      report: (error) =>
        kernel.report({ method: "satchel.v1.ConsumerGroupService/Consume", requestId: undefined, error }),
    });
    store.watch((...news) => consumers.wake(...news));
    return {
      api: { consumers },
      routes: consumerGroupRoutes({ source, consumers, limits, clock }, consumers),
      [Symbol.asyncDispose]: () => consumers[Symbol.asyncDispose](),
    };
  },
};
