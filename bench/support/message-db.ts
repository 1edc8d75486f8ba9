import { Client } from "pg";
import { installMessageDb } from "../../test/support/message-db.ts";
import { pgbench } from "./pgbench.ts";
import type { Subject } from "./rounds.ts";
import { CATEGORIES, DATA, GROUP_SIZE, METADATA, PAGE, TYPE } from "./workload.ts";

const CLIENTS = [1, 8, 32];

/**
 * Creates a database with Message DB and `readCount` messages of the category `read`. Its search path finds Message DB's
 * functions, as in Message DB's own installation. Returns the URL of the database.
 */
export async function createMessageDb(serverUrl: string, readCount: number): Promise<string> {
  const url = new URL(serverUrl);
  url.pathname = "/message_store";
  const server = new Client({ connectionString: serverUrl });
  await server.connect();
  await server.query("CREATE DATABASE message_store");
  await server.query("ALTER DATABASE message_store SET search_path TO message_store, public");
  await server.end();
  const client = new Client({ connectionString: url.href });
  await client.connect();
  await installMessageDb(client);
  await client.query(`
    INSERT INTO message_store.messages (stream_name, position, type, data, metadata)
    SELECT 'read-' || i % 100, i / 100, '${TYPE}', '${DATA}', '${METADATA}' FROM generate_series(0, ${readCount - 1}) i`);
  await client.query("VACUUM ANALYZE message_store.messages");
  await client.end();
  return url.href;
}

/** Message DB's functions, called by pgbench with 1, 8 and 32 clients; comparisons take the best of the three. */
export function messageDbSubjects(databaseUrl: string, readCount: number, seconds: number): Subject[] {
  const run = (name: string, unit: string, clients: number, script: string): Subject => ({
    name: `Message DB: ${name}, ${clients} client${clients === 1 ? "" : "s"}`,
    unit,
    measure: () => pgbench({ databaseUrl, script, clients, seconds }),
  });
  const group = `\\set start random(1, ${readCount - PAGE * GROUP_SIZE * 2})
SELECT * FROM get_category_messages('read', :start, ${PAGE}, NULL, 1, ${GROUP_SIZE});`;
  return [
    ...CLIENTS.map((clients) => run("write_message, one category", "messages/s", clients, writeScript("bench"))),
    ...CLIENTS.map((clients) =>
      run(
        `write_message, ${CATEGORIES.toLocaleString("en")} categories`,
        "messages/s",
        clients,
        `\\set category random(1, ${CATEGORIES})\n${writeScript("bench' || :category || '")}`,
      ),
    ),
    ...CLIENTS.map((clients) => run(`get_category_messages, a group of ${GROUP_SIZE}`, "pages/s", clients, group)),
  ];
}

function writeScript(category: string): string {
  return `SELECT write_message(gen_random_uuid()::varchar, '${category}-' || :client_id, '${TYPE}', '${DATA}', '${METADATA}');`;
}
