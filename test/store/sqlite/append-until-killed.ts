// A process that owns the directory it is given, and appends until it is killed; on stdout it writes the ids of each
// batch once the batch has been acknowledged.
import { writeSync } from "node:fs";
import { argv, stdout } from "node:process";
import { STORE_SCHEMA } from "../../../src/areas/index.ts";
import { openSqlite } from "../../../src/kernel/store/engines/sqlite/engine.ts";
import { append, message, provision, request } from "./support.ts";

export const BATCH_MESSAGES = 12;

if (import.meta.main) {
  const engine = await openSqlite({ schema: STORE_SCHEMA, directory: argv[2] ?? "", maxOpenNamespaces: 10 });
  const store = await provision(engine);
  for (let turn = 0; ; turn++) {
    const batch = [0, 1, 2, 3].map((index) => request(`chat-${(turn + index) % 7}`, [message(), message(), message()]));
    await append(store, ...batch);
    const ids = batch.flatMap(({ appends }) => appends.flatMap(({ messages }) => messages.map(({ id }) => id)));
    writeSync(stdout.fd, `${ids.join(" ")}\n`);
  }
}
