import type { AreaMigrations } from "../../../../kernel/store/migration.ts";
import { SESSIONS_0001 } from "./0001.postgres.sql.ts";

/** The schema of the area `sessions`. */
export const SESSIONS: AreaMigrations = {
  area: "sessions",
  control: [],
  namespace: [{ version: 1, name: "sessions, devices and policy", sql: SESSIONS_0001 }],
};
