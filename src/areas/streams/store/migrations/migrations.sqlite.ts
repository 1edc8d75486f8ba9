import type { AreaMigrations } from "../../../../kernel/store/migration.ts";
import { STREAMS_0001_MESSAGES } from "./0001-messages.sqlite.sql.ts";
import { STREAMS_0001_REMOVAL } from "./0001-removal.sqlite.sql.ts";
import { STREAMS_CONTROL_0001 } from "./control-0001.sqlite.sql.ts";

/** The schema of the area `streams`: messages, removed streams and retention. */
export const STREAMS: AreaMigrations = {
  area: "streams",
  control: [{ version: 1, name: "retention sweeps", sql: STREAMS_CONTROL_0001 }],
  namespace: [{ version: 1, name: "messages", sql: STREAMS_0001_MESSAGES + STREAMS_0001_REMOVAL }],
};
