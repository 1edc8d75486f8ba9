import type { Area } from "../../kernel/area.ts";
import type { LimitName, LimitSpec } from "../../kernel/limits.ts";
import { getServerInfo } from "./get-server-info.ts";
import { serverRoutes } from "./handlers.ts";

/** What the area needs of the configuration. */
export interface ServerSettings {
  /** Satchel's version. */
  readonly version: string;
  /** Every limit, with its description. */
  readonly limitTable: Readonly<Record<LimitName, LimitSpec>>;
}

/** Information about the server. */
export const serverArea: Area<undefined, ServerSettings> = {
  name: "server",
  start: ({ store, limits }, { version, limitTable }) => ({
    api: undefined,
    routes: serverRoutes(getServerInfo({ version, engine: store.engine.kind, limits, limitTable })),
  }),
};
