import type { AreaMigrations } from "../../../../kernel/store/migration.ts";
import { NAMESPACES_CONTROL_0001 } from "./control-0001.postgres.sql.ts";

/** The schema of the area `namespaces`: it has tables in the control plane only. */
export const NAMESPACES: AreaMigrations = {
  area: "namespaces",
  control: [{ version: 1, name: "namespaces, tokens and settings", sql: NAMESPACES_CONTROL_0001 }],
  namespace: [],
};
