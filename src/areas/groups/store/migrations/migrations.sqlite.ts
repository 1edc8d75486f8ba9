import type { AreaMigrations } from "../../../../kernel/store/migration.ts";
import { GROUPS_0001 } from "./0001.sqlite.sql.ts";

/** The schema of the area `groups`. */
export const GROUPS: AreaMigrations = {
  area: "groups",
  control: [],
  namespace: [{ version: 1, name: "consumer groups", sql: GROUPS_0001 }],
};
