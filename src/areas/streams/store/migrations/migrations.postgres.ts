import type { AreaMigrations } from "../../../../kernel/store/migration.ts";
import { STREAMS_0001_APPEND_ALL } from "./0001-append-all.postgres.sql.ts";
import { STREAMS_0001_APPEND_BATCH } from "./0001-append-batch.postgres.sql.ts";
import { STREAMS_0001_CATEGORIES } from "./0001-categories.postgres.sql.ts";
import { STREAMS_0001_GET_MESSAGES } from "./0001-get-messages.postgres.sql.ts";
import { STREAMS_0001_MESSAGES } from "./0001-messages.postgres.sql.ts";
import { STREAMS_0001_NAMES } from "./0001-names.postgres.sql.ts";
import { STREAMS_0001_PAGES } from "./0001-pages.postgres.sql.ts";
import { STREAMS_0001_POSITIONS } from "./0001-positions.postgres.sql.ts";
import { STREAMS_0001_REMOVAL } from "./0001-removal.postgres.sql.ts";
import { STREAMS_0001_REMOVED_STREAMS } from "./0001-removed-streams.postgres.sql.ts";
import { STREAMS_0001_RETENTION } from "./0001-retention.postgres.sql.ts";
import { STREAMS_0001_VIEWS } from "./0001-views.postgres.sql.ts";
import { STREAMS_0001_WRITE_MESSAGE } from "./0001-write-message.postgres.sql.ts";
import { STREAMS_CONTROL_0001 } from "./control-0001.postgres.sql.ts";

/** In the order in which one uses what another defines. */
const NAMESPACE_0001 = [
  STREAMS_0001_POSITIONS,
  STREAMS_0001_MESSAGES,
  STREAMS_0001_CATEGORIES,
  STREAMS_0001_REMOVED_STREAMS,
  STREAMS_0001_RETENTION,
  STREAMS_0001_NAMES,
  STREAMS_0001_WRITE_MESSAGE,
  STREAMS_0001_GET_MESSAGES,
  STREAMS_0001_VIEWS,
  STREAMS_0001_APPEND_BATCH,
  STREAMS_0001_APPEND_ALL,
  STREAMS_0001_REMOVAL,
  STREAMS_0001_PAGES,
];

/** The schema of the area `streams`: messages with Message DB's functions, and retention. */
export const STREAMS: AreaMigrations = {
  area: "streams",
  control: [{ version: 1, name: "retention sweeps", sql: STREAMS_CONTROL_0001 }],
  namespace: [{ version: 1, name: "messages", sql: NAMESPACE_0001.join("") }],
};
