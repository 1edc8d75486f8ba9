import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { expect, test } from "vitest";
import { createClient, type SatchelClient } from "../../clients/typescript/src/index.ts";
import type { Category } from "../../src/areas/streams/domain/stream-name.ts";
import { streamStore } from "../../src/areas/streams/store/stores.ts";
import { collect } from "../client/fake-server.ts";
import { createDatabase } from "../support/databases.ts";
import { startServer } from "../support/server-process.ts";
import { createSession, openSessionServices } from "../support/session-services.ts";
import { upTo } from "../support/streams.ts";

interface Replicas extends AsyncDisposable {
  readonly one: SatchelClient;
  readonly two: SatchelClient;
}

/** Two servers on one database, and a client of each for the namespace `default`. */
async function openReplicas(): Promise<Replicas> {
  await using starting = new AsyncDisposableStack();
  const database = starting.use(await createDatabase());
  const first = starting.use(await startServer({ databaseUrl: database.url }));
  const second = starting.use(await startServer({ databaseUrl: database.url }));
  const token = await first.defaultToken();
  const [one, two] = [first, second].map(({ url }) => starting.use(createClient({ baseUrl: url, token })));
  const opened = starting.move();
  return { one: one!, two: two!, [Symbol.asyncDispose]: () => opened.disposeAsync() };
}

test("a session that one replica has ended is refused by the other at once, under load too", async () => {
  await using replicas = await openReplicas();
  const { one, two } = replicas;
  for (const _ of upTo(10)) {
    const { session, token } = await one.sessions.create({ userId: "ann" });
    let revoked = false;
    const late: string[] = [];
    const callers = [one, two, one, two].map(async ({ sessions }) => {
      for (let stopped = false; !stopped;) {
        const startedAfter = revoked;
        stopped = !(await sessions.validate(token)).valid;
        if (startedAfter && !stopped) late.push("let in");
      }
    });
    await two.sessions.validate(token);
    await one.sessions.revoke(session.sessionId);
    revoked = true;
    expect(await two.sessions.validate(token)).toMatchObject({ valid: false, refusal: "revoked" });
    await Promise.all(callers);
    expect(late).toEqual([]);
  }
}, 60_000);

test("two replicas give a token one successor and a request one session, and keep a cap exactly", async () => {
  await using replicas = await openReplicas();
  const both = [replicas.one, replicas.two];
  const { token } = await replicas.one.sessions.create({ userId: "ann" });
  const refreshed = await Promise.all(upTo(40).map((index) => both[index % 2]!.sessions.refresh(token)));
  expect(new Set(refreshed.map((renewed) => renewed.token)).size).toBe(1);
  expect(await replicas.two.sessions.validate(refreshed[0]!.token)).toMatchObject({ valid: true });

  const repeats = await Promise.all(
    upTo(20).map((index) => both[index % 2]!.sessions.create({ userId: "eve", requestId: "r", deviceId: "phone" })),
  );
  expect(new Set(repeats.map(({ session }) => session.sessionId)).size).toBe(1);
  expect(repeats.filter(({ newDevice }) => newDevice)).toHaveLength(1);

  await replicas.one.sessions.updatePolicy({ maxSessionsPerUser: 5, eviction: "oldest" });
  await Promise.all(upTo(20).map((index) => both[index % 2]!.sessions.create({ userId: "bob" })));
  expect(await replicas.two.sessions.count({ userId: "bob" })).toEqual({ totalCount: 20n, activeCount: 5n });
}, 60_000);

test("units of work of two replicas for the same users do not wait for each other for ever", async () => {
  await using replicas = await openReplicas();
  const both = [replicas.one, replicas.two];
  await replicas.one.sessions.updatePolicy({ maxSessionsPerUser: 2 });
  const users = upTo(8).map((index) => `user-${index}`);
  const create = (index: number) =>
    both[index % 2]!.sessions.create({ userId: users[(index * 5) % 8]!, deviceId: `d${index % 3}` });
  await Promise.all(upTo(200).map(create));
  for (const userId of users) expect((await replicas.one.sessions.count({ userId })).activeCount).toBe(2n);
  const statistics = await replicas.two.sessions.statistics();
  expect([statistics.totalSessions, statistics.activeSessions]).toEqual([200n, 16n]);
}, 60_000);

test("logins whose connections are cut are unavailable or done, and never half done", async () => {
  await using services = await openSessionServices("postgresql");
  const caller = await services.namespace();
  const sessions = services.process();
  const reasons: string[] = [];
  const acknowledged: string[] = [];
  const stop = new AbortController();
  const cut = async () => {
    while (!stop.signal.aborted) {
      await services.store
        .read((em) =>
          em
            .getConnection()
            .execute(
              "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()",
            ),
        )
        .catch(() => undefined);
      // On a busy machine it takes longer to connect than one might think, and in between something should be done.
      await delay(20 + Math.random() * 180);
    }
  };
  const cutter = cut();
  await Promise.all(
    upTo(300).map(async (index) => {
      await delay(index * 6);
      await createSession(sessions, caller, { deviceId: `d${index}` }).then(
        ({ session }) => acknowledged.push(session.id),
        (error: unknown) => reasons.push((error as { readonly reason?: string }).reason ?? String(error)),
      );
    }),
  );
  stop.abort();
  await cutter;
  expect(new Set(reasons)).toEqual(reasons.length === 0 ? new Set() : new Set(["STORE_UNAVAILABLE"]));
  const page = { userId: "ann", status: undefined, order: "createTimeMicros", pageSize: 1_000, pageToken: "" } as const;
  const ids = (await sessions.list(caller, page)).items.map(({ id }) => id);
  expect(acknowledged.filter((id) => !ids.includes(id))).toEqual([]);
  const query = {
    selector: { kind: "category", category: "$session" as Category },
    types: ["SessionCreated"],
    from: 0n,
    limit: 1_000,
    maxBytes: 10_000_000,
  } as const;
  const journal = (await streamStore(services.store.engine, caller.namespaceId).page(query, {})).messages;
  expect(journal.map(({ streamName }) => streamName.slice("$session-".length)).toSorted()).toEqual(ids.toSorted());
  expect((await sessions.count(caller, undefined)).total).toBe(BigInt(ids.length));
}, 60_000);

test.each(["sqlite", "postgresql"])(
  "logins that were acknowledged survive kill -9, and every session has its message: %s",
  async (engine) => {
    await using cleanUp = new AsyncDisposableStack();
    const databaseUrl = engine === "postgresql" ? cleanUp.use(await createDatabase()).url : undefined;
    const directory = await mkdtemp(join(tmpdir(), "satchel-sessions-"));
    cleanUp.defer(() => rm(directory, { recursive: true, force: true }));

    const acknowledged: string[] = [];
    let server = await startServer({ databaseUrl, directory });
    const token = await server.defaultToken();
    for (let kill = 0; kill < 3; kill++) {
      using client = createClient({ baseUrl: server.url, token, retry: false });
      const before = acknowledged.length;
      const logins = upTo(8).map(async () => {
        for (;;) acknowledged.push((await client.sessions.create({ userId: "ann" })).token);
      });
      await expect.poll(() => acknowledged.length, { timeout: 10_000 }).toBeGreaterThan(before + 50);
      await delay(Math.random() * 100);
      const ended = Promise.allSettled(logins);
      await server.kill();
      await ended;
      server = await startServer({ databaseUrl, directory });
    }
    cleanUp.use(server);
    using client = createClient({ baseUrl: server.url, token });
    const validations = await Promise.all(acknowledged.map((text) => client.sessions.validate(text, { touch: false })));
    expect(validations.filter(({ valid }) => !valid)).toEqual([]);
    const sessions = await collect(client.sessions.list({ pageSize: 1_000 }));
    const journal = await collect(client.streams.read({ category: "$session", types: ["SessionCreated"] }));
    const noted = journal.map((message) => message.streamName.slice("$session-".length));
    expect(noted.toSorted()).toEqual(sessions.map(({ sessionId }) => sessionId).toSorted());
    expect((await client.sessions.statistics()).totalSessions).toBe(BigInt(sessions.length));
  },
  90_000,
);
