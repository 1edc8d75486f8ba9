import { expect, test } from "vitest";
import { createClient, type SatchelClient } from "../../clients/typescript/src/index.ts";
import { createDatabase } from "../support/databases.ts";
import { type ServerProcess, startServer } from "../support/server-process.ts";

interface Replicas extends AsyncDisposable {
  readonly servers: readonly [ServerProcess, ServerProcess];
  /** A client of each replica. */
  clients(token: string): readonly [SatchelClient, SatchelClient];
}

/** Two servers on one database, which start at the same time. */
async function openReplicas(): Promise<Replicas> {
  await using starting = new AsyncDisposableStack();
  const database = starting.use(await createDatabase());
  const servers = await Promise.all([
    startServer({ databaseUrl: database.url }),
    startServer({ databaseUrl: database.url }),
  ]);
  for (const server of servers) starting.use(server);
  const cleanUp = starting.move();
  return {
    servers: [servers[0], servers[1]],
    clients: (token) => {
      const [one, two] = servers.map(({ url }) => cleanUp.use(createClient({ baseUrl: url, token })));
      return [one!, two!];
    },
    [Symbol.asyncDispose]: () => cleanUp.disposeAsync(),
  };
}

/** The first start of the store is one replica's, and only that one has the tokens. */
async function rootTokenOf(servers: readonly ServerProcess[]): Promise<string> {
  const tokens = await Promise.allSettled(servers.map((server) => server.rootToken()));
  const found = tokens.filter((token) => token.status === "fulfilled").map(({ value }) => value);
  expect(found).toHaveLength(1);
  return found[0]!;
}

test("two replicas that start at once on an empty database are one store", async () => {
  await using replicas = await openReplicas();
  const root = replicas.clients(await rootTokenOf(replicas.servers));
  const { token } = await root[0].namespaces.create("shared");
  const [one, two] = replicas.clients(token);
  await one.streams.append("a-1", [{ type: "T", data: { n: 1 } }]);
  await two.streams.append("a-1", [{ type: "T", data: { n: 2 } }], { expectedVersion: 0 });
  expect(await one.streams.version("a-1")).toBe(1n);
});

test("a token that one replica has revoked is refused by the other at once, under load too", async () => {
  await using replicas = await openReplicas();
  const root = replicas.clients(await rootTokenOf(replicas.servers));
  await root[0].namespaces.create("guarded");
  for (let round = 0; round < 10; round++) {
    const { token, info } = await root[0].namespaces.createToken("guarded", "writer");
    const clients = replicas.clients(token);
    let revoked = false;
    const afterwards: string[] = [];
    const calling = clients.map(async (client) => {
      for (let stopped = false; !stopped;) {
        const startedAfter = revoked;
        stopped = await client.streams.version("a-1").then(
          () => false,
          () => true,
        );
        if (startedAfter && !stopped) afterwards.push("a call that began after the revocation was let in");
      }
    });
    await Promise.all(clients.map((client) => client.streams.append("a-1", [{ type: "T" }])));
    await root[1].namespaces.revokeToken("guarded", info.tokenId);
    revoked = true;
    for (const client of clients) {
      await expect(client.streams.version("a-1")).rejects.toMatchObject({ reason: "CREDENTIAL_INVALID" });
    }
    await Promise.all(calling);
    expect(afterwards).toEqual([]);
  }
}, 60_000);

test("what one replica appends wakes the followers of the other", async () => {
  await using replicas = await openReplicas();
  const root = replicas.clients(await rootTokenOf(replicas.servers));
  const { token } = await root[0].namespaces.create("live");
  const [one, two] = replicas.clients(token);
  const seen: bigint[] = [];
  const appended: bigint[] = [];
  for await (const batch of two.streams.readBatches({ all: true, follow: true, limit: 50 })) {
    seen.push(...batch.messages.map(({ globalPosition }) => globalPosition));
    if (seen.length < 50) {
      const [message] = await one.streams.append("a-1", [{ type: "T" }]);
      appended.push(message!.globalPosition);
    }
  }
  expect(seen).toEqual(appended);
}, 60_000);
