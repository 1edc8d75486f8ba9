import { Code, createClient } from "@connectrpc/connect";
import { describe, expect, test } from "vitest";
import { Health, HealthCheckResponse_ServingStatus as ServingStatus } from "../../src/gen/health/v1/health_pb.ts";
import { startTestServer, type TestServer } from "../support/test-server.ts";
import { protocolsOver, transportFor } from "../support/transports.ts";

const SERVICES = ["", "grpc.health.v1.Health", "satchel.v1.ServerService", "satchel.v1.StreamService"];

const clientOf = (server: TestServer) => createClient(Health, transportFor("grpc", { http: "2", baseUrl: server.url }));

describe("grpc.health.v1.Health", () => {
  test.each(protocolsOver("2"))("answers for the server and each service, by %s", async (protocol) => {
    await using server = await startTestServer();
    const health = createClient(Health, transportFor(protocol, { http: "2", baseUrl: server.url }));
    for (const service of SERVICES) expect((await health.check({ service })).status).toBe(ServingStatus.SERVING);
    expect(Object.keys((await health.list({})).statuses).toSorted()).toEqual(SERVICES);
  });

  test("does not know other services", async () => {
    await using server = await startTestServer();
    const health = clientOf(server);
    await expect(health.check({ service: "satchel.v1.Nothing" })).rejects.toMatchObject({ code: Code.NotFound });
    for await (const { status } of health.watch({ service: "satchel.v1.Nothing" })) {
      expect(status).toBe(ServingStatus.SERVICE_UNKNOWN);
      break;
    }
  });

  test("follows the store", async () => {
    let store: () => Promise<void> = () => Promise.resolve();
    await using server = await startTestServer({ ping: () => store() });
    const watch = clientOf(server).watch({})[Symbol.asyncIterator]();
    const next = async () => (await watch.next()).value?.status;
    expect(await next()).toBe(ServingStatus.SERVING);

    store = () => Promise.reject(new Error("connection refused"));
    expect(await next()).toBe(ServingStatus.NOT_SERVING);
    const ready = await fetch(`${server.url}/readyz`);
    expect([ready.status, await ready.json()]).toEqual([503, { status: "not ready", reason: "store unavailable" }]);

    store = () => Promise.resolve();
    expect(await next()).toBe(ServingStatus.SERVING);
    expect((await fetch(`${server.url}/readyz`)).status).toBe(200);

    // A store that says nothing is as bad as one that says no.
    store = () => new Promise(() => undefined);
    expect(await next()).toBe(ServingStatus.NOT_SERVING);
    const lines = server.log.filter(({ level }) => level === "error").map(({ msg }) => msg);
    expect(lines).toEqual(["the store does not answer", "the store does not answer"]);
  });

  test("forgets watchers that leave", async () => {
    await using server = await startTestServer();
    const leave = new AbortController();
    const watch = clientOf(server).watch({}, { signal: leave.signal })[Symbol.asyncIterator]();
    await watch.next();
    const ended = watch.next();
    leave.abort();
    await expect(ended).rejects.toMatchObject({ code: Code.Canceled });
    await expect
      .poll(() => server.log.findLast(({ msg }) => msg === "call"))
      .toMatchObject({ method: "grpc.health.v1.Health/Watch", status: "CANCELLED" });
  });
});
