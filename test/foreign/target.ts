import { createClient } from "../../clients/typescript/src/index.ts";
import { createDatabaseOn } from "../support/database-on.ts";
import { startPostgres } from "../support/postgres-server.ts";
import { type ServerProcess, startServer } from "../support/server-process.ts";

export const ENGINES = ["sqlite", "postgresql"] as const;

export type Engine = (typeof ENGINES)[number];

/** A server to check clients against. */
export interface Target {
  readonly url: string;
  /** Host and port. */
  readonly host: string;
  readonly server: ServerProcess;
  /** The token of a new, empty namespace. */
  newToken(): Promise<string>;
}

/** Runs `work` against a server on an engine; pages of `origins` may call it. */
export async function withTarget(
  engine: Engine,
  origins: readonly string[],
  work: (target: Target) => Promise<void>,
): Promise<void> {
  await using stack = new AsyncDisposableStack();
  const databaseUrl = engine === "postgresql" ? await createDatabase(stack) : undefined;
  const env = { SATCHEL_CORS_ORIGINS: origins.join(",") };
  const server = stack.use(await startServer({ databaseUrl, env }));
  const operator = stack.adopt(createClient({ baseUrl: server.url, token: await server.rootToken() }), (client) =>
    client.close(),
  );
  let count = 0;
  const newToken = async (): Promise<string> => (await operator.namespaces.create(`foreign-${count++}`)).token;
  const info = await operator.serverInfo();
  if (info.engine !== engine) throw new Error(`the server runs on ${info.engine} instead of ${engine}`);
  await work({ url: server.url, host: new URL(server.url).host, server, newToken });
}

/** A new database, on the server that SATCHEL_TEST_DATABASE_URL names or else on one of our own. */
async function createDatabase(stack: AsyncDisposableStack): Promise<string> {
  const configured = process.env["SATCHEL_TEST_DATABASE_URL"] ?? "";
  const serverUrl = configured === "" ? stack.use(await startPostgres()).url : configured;
  return stack.use(await createDatabaseOn(serverUrl)).url;
}
