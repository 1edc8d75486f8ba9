import type { Area } from "../../kernel/area.ts";
import type { LimitName, LimitSpec } from "../../kernel/limits.ts";
import { serverRoutes } from "./handlers.ts";
import { describeServer } from "./server-info.ts";

/** What the area needs of the configuration. */
export interface ServerSettings {
  /** Satchel's version. */
  readonly version: string;
  /** Every limit, with its description. */
  readonly limitTable: Readonly<Record<LimitName, LimitSpec>>;
}

/** What the server says of itself. */
export const serverArea: Area<undefined, ServerSettings> = {
  name: "server",
  start: ({ store, limits }, { version, limitTable }) => ({
    api: undefined,
    routes: serverRoutes(describeServer({ version, engine: store.engine.kind, limits, limitTable })),
  }),
};
