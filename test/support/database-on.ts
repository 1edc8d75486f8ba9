import pg from "pg";

/** A new, empty database. */
export interface TestDatabase extends AsyncDisposable {
  readonly url: string;
}

/** Creates a database on a server; disposing of it drops it. */
export async function createDatabaseOn(serverUrl: string): Promise<TestDatabase> {
  const name = `satchel_test_${crypto.randomUUID().replaceAll("-", "")}`;
  await onServer(serverUrl, `CREATE DATABASE ${name} TEMPLATE template0 ENCODING 'UTF8'`);
  const url = new URL(serverUrl);
  url.pathname = `/${name}`;
  return {
    url: url.href,
    [Symbol.asyncDispose]: () => onServer(serverUrl, `DROP DATABASE ${name} WITH (FORCE)`),
  };
}

async function onServer(url: string, statement: string): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    await client.query(statement);
  } finally {
    await client.end();
  }
}
