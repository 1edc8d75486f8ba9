import { inject } from "vitest";
import { createDatabaseOn, type TestDatabase } from "./database-on.ts";

/** Creates a database on the server of this run; disposing of it drops it. */
export function createDatabase(): Promise<TestDatabase> {
  return createDatabaseOn(inject("postgresUrl"));
}
