import { createClient as createRpcClient } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { createClient, type ReadSelector, type SatchelClient } from "../../clients/typescript/src/index.ts";
import { StreamService } from "../../src/gen/satchel/v1/streams_pb.ts";
import { openBalancer } from "../support/balancer.ts";
import { createDatabase } from "../support/databases.ts";
import { failureOf } from "../support/failures.ts";
import { type ServerProcess, startServer } from "../support/server-process.ts";
import { SteadyWriters } from "../support/steady-writers.ts";
import { inCategory, valuesOf } from "../support/streams.ts";

const WRITERS = 4;
const ENDINGS = ["SIGTERM", "SIGKILL", "SIGTERM", "SIGKILL"] as const;
const SELECTORS: readonly ReadSelector[] = [
  { all: true },
  { category: "steady" },
  { category: "steady", consumerGroup: { member: 0, size: 2 } },
  { streamName: "steady-1" },
];

interface Replicas extends AsyncDisposable {
  readonly servers: ServerProcess[];
  readonly token: string;
  /** Ends one of them, and starts it again where it was. */
  restart(index: number, signal: "SIGTERM" | "SIGKILL"): Promise<void>;
}

async function openReplicas(): Promise<Replicas> {
  await using opening = new AsyncDisposableStack();
  const databaseUrl = opening.use(await createDatabase()).url;
  const directory = await mkdtemp(join(tmpdir(), "satchel-replicas-"));
  opening.defer(() => rm(directory, { recursive: true, force: true }));
  const servers: ServerProcess[] = [];
  opening.defer(async () => {
    for (const server of servers) await server[Symbol.asyncDispose]();
  });
  for (let count = 0; count < 2; count++) servers.push(await startServer({ databaseUrl, directory }));
  const token = (await servers[0]?.defaultToken()) ?? "";
  const opened = opening.move();
  return {
    servers,
    token,
    async restart(index, signal) {
      const server = servers[index]!;
      if (signal === "SIGKILL") await server.kill();
      else expect(await server.stop()).toBe(0);
      servers[index] = await startServer({ databaseUrl, directory, env: { SATCHEL_PORT: String(server.port) } });
    },
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  };
}

/** Follows until the signal fires; the client makes up for every call that breaks off. */
async function follow(client: SatchelClient, selector: ReadSelector, seen: bigint[], signal: AbortSignal) {
  try {
    for await (const { globalPosition } of client.streams.read({ ...selector, follow: true, signal }))
      seen.push(globalPosition);
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}

test("the client's loop goes on at another replica when one is stopped, or killed: nothing is missed, nothing comes twice", async () => {
  await using replicas = await openReplicas();
  const { servers, token } = replicas;
  await using balancer = await openBalancer(servers.map(({ port }) => port));
  const { url } = balancer;
  using cleanUp = new DisposableStack();
  const client = (): SatchelClient => cleanUp.use(createClient({ baseUrl: url, token }));

  const end = new AbortController();
  const seen = SELECTORS.map((): bigint[] => []);
  const following = Promise.all(
    SELECTORS.map((selector, index) => follow(client(), selector, seen[index]!, end.signal)),
  );
  const writers = new SteadyWriters({ url, token, writers: WRITERS, timeoutMs: 5_000 });
  for (const [index, ending] of ENDINGS.entries()) {
    const before = writers.count;
    await expect.poll(() => writers.count, { timeout: 15_000 }).toBeGreaterThan(before + 100);
    await replicas.restart(index % servers.length, ending);
  }
  await writers.finish();

  for (const [index, selector] of SELECTORS.entries()) {
    const stored: bigint[] = [];
    for await (const { globalPosition } of client().streams.read(selector)) stored.push(globalPosition);
    await expect.poll(() => seen[index]!.length, { timeout: 15_000 }).toBeGreaterThanOrEqual(stored.length);
    expect(seen[index]).toEqual(stored);
  }
  expect(writers.failures.length).toBeGreaterThan(0);
  expect([...balancer.taken.values()].every((count) => count > SELECTORS.length)).toBe(true);
  end.abort();
  await following;
}, 120_000);

test("a server that is stopped ends its streams with SHUTTING_DOWN and a cursor, by which another goes on", async () => {
  await using replicas = await openReplicas();
  const headers = { authorization: `Bearer ${replicas.token}` };
  const [one, two] = replicas.servers.map(({ url }) =>
    createRpcClient(StreamService, createGrpcTransport({ baseUrl: url })),
  );
  const append = (data: string) =>
    two!.appendMessages({ streamName: "a-1", messages: [{ type: "T", data }] }, { headers });
  await append("0");
  const seen: unknown[] = [];
  let stopped: Promise<unknown> | undefined;
  const following = async (): Promise<void> => {
    for await (const { frame } of one!.readMessages({ selector: inCategory("a"), follow: true }, { headers })) {
      if (frame.case === "messages") seen.push(...valuesOf(frame.value.messages));
      if (frame.case === "caughtUp") stopped = replicas.servers[0]!.stop();
    }
  };
  const { reason, code, metadata } = await failureOf(following());
  expect([code, reason]).toEqual(["Unavailable", "SHUTTING_DOWN"]);
  expect(await stopped).toBe(0);
  await append("1");
  const start = { case: "cursor", value: metadata["cursor"] ?? "" } as const;
  const resumed = two!.readMessages({ selector: inCategory("a"), start, follow: true, limit: 1n }, { headers });
  for await (const { frame } of resumed) if (frame.case === "messages") seen.push(...valuesOf(frame.value.messages));
  expect(seen).toEqual([0, 1]);
}, 60_000);
