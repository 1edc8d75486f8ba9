import { type DescService, create, toBinary } from "@bufbuild/protobuf";
import { Code, ConnectError, createClient } from "@connectrpc/connect";
import * as grpc from "@grpc/grpc-js";
import { once } from "node:events";
import { Agent, get } from "node:http";
import { promisify } from "node:util";
import { describe, expect, test } from "vitest";
import { Health, HealthCheckResponse_ServingStatus as ServingStatus } from "../../src/gen/health/v1/health_pb.ts";
import { ServerService } from "../../src/gen/satchel/v1/server_pb.ts";
import { AppendMessagesRequestSchema, StreamService } from "../../src/gen/satchel/v1/streams_pb.ts";
import { http2Session, silent } from "../support/raw.ts";
import { startTestServer } from "../support/test-server.ts";
import { protocolsOver, transportFor } from "../support/transports.ts";

const KEEPALIVE_MS = 100;

describe("an HTTP/2 connection", () => {
  test("lets uploads run ahead of their reader, over a long line too", async () => {
    await using server = await startTestServer();
    const session = http2Session(server.url);
    await once(session, "remoteSettings");
    expect(session.remoteSettings.initialWindowSize).toBe(1024 * 1024);
    await expect.poll(() => session.state.remoteWindowSize).toBe(4 * 1024 * 1024);
    session.destroy();
  });

  test("is hung up on when its client stops answering pings", async () => {
    await using server = await startTestServer({ keepaliveMs: KEEPALIVE_MS });
    const socket = await silent(server.port);
    const began = performance.now();
    // The preface and empty settings: a client that then says nothing.
    socket.write(
      Buffer.concat([Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), Buffer.from("000000040000000000", "hex")]),
    );
    socket.on("data", () => undefined);
    await once(socket, "close");
    expect(performance.now() - began).toBeLessThan(10 * KEEPALIVE_MS);
  });

  test("stays while its client answers them", async () => {
    await using server = await startTestServer({ keepaliveMs: KEEPALIVE_MS });
    const session = http2Session(server.url);
    await new Promise((resolve) => setTimeout(resolve, 10 * KEEPALIVE_MS));
    expect(session.closed).toBe(false);
    session.destroy();
  });

  test("is replaced at its age, and no call of a client that retries what was refused fails for it", async () => {
    await using server = await startTestServer({ keepaliveMs: KEEPALIVE_MS, maxConnectionAgeMs: 200 });
    const Client = grpc.makeClientConstructor(grpcDefinition(StreamService), "satchel.v1.StreamService");
    const client = new Client(`127.0.0.1:${server.port}`, grpc.credentials.createInsecure());
    const append = promisify(
      client["AppendMessages"]!.bind(client) as (request: Buffer, done: grpc.requestCallback<Buffer>) => void,
    );
    const until = Date.now() + 2_000;
    let calls = 0;
    const caller = async (): Promise<void> => {
      for (; Date.now() < until; calls += 1) {
        const request = create(AppendMessagesRequestSchema, { messages: [{ type: String(calls % 20) }] });
        await append(Buffer.from(toBinary(AppendMessagesRequestSchema, request)));
      }
    };
    await Promise.all(Array.from({ length: 8 }, caller));
    client.close();
    expect(calls).toBeGreaterThan(100);
    const metrics = await (await fetch(`${server.url}/metrics`)).text();
    expect(Number(/satchel_connections_total\{http="2"\} (\d+)/.exec(metrics)?.[1])).toBeGreaterThan(3);
  });
});

describe("a drain", () => {
  test.each(["1.1", "2"] as const)("over HTTP/%s lets calls end, and then is over", async (http) => {
    for (const protocol of protocolsOver(http)) {
      await using server = await startTestServer();
      const client = createClient(StreamService, transportFor(protocol, { http, baseUrl: server.url }));
      const call = client.appendMessages({ messages: [{ type: "300" }] });
      await expect.poll(() => inFlight(server.url)).toBe(1);
      const began = performance.now();
      await Promise.all([server.server.close(5_000), expect(call).resolves.toMatchObject({ messages: [{ id: "1" }] })]);
      expect(performance.now() - began).toBeLessThan(1_000);
    }
  });

  test("ends idle connections soon, and refuses new ones", async () => {
    await using server = await startTestServer();
    const agent = new Agent({ keepAlive: true });
    await new Promise<void>((resolve) =>
      get(`${server.url}/healthz`, { agent }, (response) => response.resume().on("end", resolve)),
    );
    const session = http2Session(server.url);
    await once(session, "connect");
    await silent(server.port);
    const began = performance.now();
    await server.server.close(5_000);
    expect(performance.now() - began).toBeLessThan(1_000);
    await expect(fetch(`${server.url}/healthz`)).rejects.toThrow("fetch failed");
    agent.destroy();
  });

  test.each([
    ["1.1", "connect json"],
    ["2", "grpc"],
  ] as const)("ends streams with UNAVAILABLE over HTTP/%s by %s", async (http, protocol) => {
    await using server = await startTestServer();
    const client = createClient(StreamService, transportFor(protocol, { http, baseUrl: server.url }));
    const frames = client.readMessages({ selector: { case: "category", value: "slow" } })[Symbol.asyncIterator]();
    expect((await frames.next()).done).toBe(false);
    const next = frames.next();
    setTimeout(() => server.shutdown.abort(), 50);
    await expect(next).rejects.toMatchObject({ code: Code.Unavailable });
    await server.server.close(1_000);
  });

  test("hangs up on what does not end in time", async () => {
    await using server = await startTestServer();
    const client = createClient(StreamService, transportFor("grpc", { http: "2", baseUrl: server.url }));
    const call = client.appendMessages({ messages: [{ type: "20000" }] });
    call.catch(() => undefined);
    await expect.poll(() => inFlight(server.url)).toBe(1);
    const began = performance.now();
    await server.server.close(200);
    expect(performance.now() - began).toBeLessThan(1_000);
    await expect(call).rejects.toBeInstanceOf(ConnectError);
    expect(server.log).toContainEqual(expect.objectContaining({ level: "warn", calls: 1 }));
  });

  test("says so first: health, /readyz, and a client that watches", async () => {
    await using server = await startTestServer();
    const health = createClient(Health, transportFor("grpc", { http: "2", baseUrl: server.url }));
    const watch = health.watch({ service: "" })[Symbol.asyncIterator]();
    expect((await watch.next()).value?.status).toBe(ServingStatus.SERVING);
    server.readiness.drain();
    expect((await watch.next()).value?.status).toBe(ServingStatus.NOT_SERVING);
    await expect(watch.next()).rejects.toMatchObject({ code: Code.Unavailable });
    expect((await health.check({})).status).toBe(ServingStatus.NOT_SERVING);
    const ready = await fetch(`${server.url}/readyz`);
    expect([ready.status, await ready.json()]).toEqual([503, { status: "not ready", reason: "draining" }]);
    expect((await fetch(`${server.url}/healthz`)).status).toBe(200);
    const info = createClient(ServerService, transportFor("grpc", { http: "2", baseUrl: server.url }));
    expect((await info.getServerInfo({})).version).toBe("test");
  });
});

/** How many calls are under way, by the metrics. */
async function inFlight(url: string): Promise<number> {
  const text = await (await fetch(`${url}/metrics`)).text();
  return [...text.matchAll(/^rpc_server_calls_in_flight\{.*\} (\d+)$/gm)].reduce(
    (sum, [, count]) => sum + Number(count),
    0,
  );
}

/** A service to grpc-js, its messages as bytes. */
function grpcDefinition({ typeName, methods }: DescService): grpc.ServiceDefinition {
  const identity = (bytes: Buffer): Buffer => bytes;
  const definitions = methods.map(({ name, methodKind }) => {
    const [requestStream, responseStream] = [false, methodKind === "server_streaming"];
    const serializers = {
      requestSerialize: identity,
      requestDeserialize: identity,
      responseSerialize: identity,
      responseDeserialize: identity,
    };
    return [name, { path: `/${typeName}/${name}`, requestStream, responseStream, ...serializers }] as const;
  });
  return Object.fromEntries(definitions);
}
