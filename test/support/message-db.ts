import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { join } from "node:path";
import type { Client } from "pg";

/** The reference's files, in the order of its own install script; the extension is needed only before PostgreSQL 13. */
const FILES = [
  "schema/message-store",
  "tables/messages",
  "types/message",
  "functions/message-store-version",
  "functions/hash-64",
  "functions/acquire-lock",
  "functions/category",
  "functions/is-category",
  "functions/id",
  "functions/cardinal-id",
  "functions/stream-version",
  "functions/write-message",
  "functions/get-stream-messages",
  "functions/get-category-messages",
  "functions/get-last-stream-message",
  "indexes/messages-id",
  "indexes/messages-stream",
  "indexes/messages-category",
  "views/stream-summary",
  "views/type-summary",
  "views/stream-type-summary",
  "views/type-stream-summary",
  "views/category-type-summary",
  "views/type-category-summary",
];

/** Installs Message DB itself, as its npm package carries it, in the schema message_store of an empty database. */
export async function installMessageDb(client: Client): Promise<void> {
  const directory = join(createRequire(import.meta.url).resolve("@eventide/message-db/package.json"), "..", "database");
  for (const file of FILES) await client.query(await readFile(join(directory, `${file}.sql`), "utf8"));
}
