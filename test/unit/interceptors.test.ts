import { create } from "@bufbuild/protobuf";
import {
  Code,
  ConnectError,
  createClient,
  createContextValues,
  createRouterTransport,
  type Interceptor,
  type ServiceImpl,
} from "@connectrpc/connect";
import { getEventListeners } from "node:events";
import { setTimeout } from "node:timers/promises";
import { describe, expect, it, vi } from "vitest";
import { DEFAULT_LIMITS } from "../../src/config/limits.ts";
import { Health } from "../../src/gen/health/v1/health_pb.ts";
import { GetStreamVersionResponseSchema, StreamService } from "../../src/gen/satchel/v1/streams_pb.ts";
import { SatchelError, storeUnavailable } from "../../src/kernel/errors.ts";
import { Call, callKey } from "../../src/kernel/rpc/call.ts";
import { accessInterceptor } from "../../src/kernel/rpc/interceptors/access.ts";
import { deadlineInterceptor } from "../../src/kernel/rpc/interceptors/deadline.ts";
import { errorsInterceptor, type Fault } from "../../src/kernel/rpc/interceptors/errors.ts";
import { failureOf } from "../support/failures.ts";

describe("the access interceptor", () => {
  const authenticate = () => Promise.reject(new Error("nobody"));

  it("cannot be built for an RPC without a rule", () => {
    const [method] = StreamService.methods;
    const bare = { ...method!, proto: { ...method!.proto, options: undefined } };
    expect(() =>
      accessInterceptor({ recheckMs: 1_000, limits: DEFAULT_LIMITS, methods: [bare], authenticate }),
    ).toThrow("satchel.v1.StreamService/AppendMessages has no access rule");
  });

  it("lets anyone ask for health", () => {
    expect(() =>
      accessInterceptor({ recheckMs: 1_000, limits: DEFAULT_LIMITS, methods: Health.methods, authenticate }),
    ).not.toThrow();
  });

  it("admits nobody to an RPC that it has not been told of", async () => {
    const access = accessInterceptor({
      recheckMs: 1_000,
      limits: DEFAULT_LIMITS,
      methods: [],
      authenticate: () => Promise.resolve({ kind: "operator" }),
    });
    const call = client({ getStreamVersion: () => ({}) }, [errorsInterceptor(() => {}), access]).getStreamVersion(
      {},
      { headers: { authorization: "Bearer x" } },
    );
    expect(await failureOf(call)).toMatchObject({ code: "PermissionDenied", reason: "ACCESS_DENIED" });
  });
});

describe("the errors interceptor", () => {
  async function failing(
    error: unknown,
  ): Promise<{ readonly failure: Awaited<ReturnType<typeof failureOf>>; readonly faults: readonly Fault[] }> {
    const faults: Fault[] = [];
    const impl: Implementation = {
      getStreamVersion() {
        throw error;
      },
      async *readMessages() {
        yield {};
        throw error;
      },
    };
    const streams = client(impl, [errorsInterceptor((fault) => faults.push(fault))]);
    const failure = await failureOf(streams.getStreamVersion({}));
    const streamed = await failureOf(streams.readMessages({}));
    expect({ ...streamed, message: "", metadata: {}, facts: [] }).toEqual({
      ...failure,
      message: "",
      metadata: {},
      facts: [],
    });
    return { failure, faults };
  }

  it("says nothing of what it does not know but an incident id, under which the cause is logged", async () => {
    const { failure, faults } = await failing(new Error("password=secret"));
    expect(failure).toMatchObject({ code: "Internal", reason: "INTERNAL" });
    expect(JSON.stringify(failure)).not.toContain("secret");
    expect(faults[0]).toMatchObject({
      method: "satchel.v1.StreamService/GetStreamVersion",
      incidentId: failure.metadata["incident_id"],
      error: new Error("password=secret"),
    });
    expect(faults[1]?.incidentId).not.toBe(faults[0]?.incidentId);
  });

  it.each([
    new SatchelError("INTERNAL", "the database has failed: secret"),
    "a string",
    undefined,
    new ConnectError("secret", Code.Unknown),
  ])("takes %s for a fault", async (error) => {
    const { failure } = await failing(error);
    expect(failure).toMatchObject({ code: "Internal", reason: "INTERNAL" });
    expect(JSON.stringify(failure)).not.toContain("secret");
  });

  it("says when to try again, and logs why, when the store is away", async () => {
    const { failure, faults } = await failing(storeUnavailable(new Error("ECONNREFUSED")));
    expect(failure).toMatchObject({ code: "Unavailable", reason: "STORE_UNAVAILABLE", retryable: true });
    expect(JSON.stringify(failure)).not.toContain("ECONNREFUSED");
    expect(faults).toHaveLength(2);
  });

  it.each([
    [new DOMException("aborted", "AbortError"), "Canceled", "CANCELLED"],
    [new DOMException("late", "TimeoutError"), "DeadlineExceeded", "DEADLINE_EXCEEDED"],
    [new ConnectError("late", Code.DeadlineExceeded), "DeadlineExceeded", "DEADLINE_EXCEEDED"],
    [new ConnectError("gone", Code.Canceled), "Canceled", "CANCELLED"],
  ])("takes %s for what it is", async (error, code, reason) => {
    const { failure, faults } = await failing(error);
    expect(failure).toMatchObject({ code, reason });
    expect(faults).toEqual([]);
  });
});

describe("the deadline interceptor", () => {
  it("answers when the time is up, even if the handler takes no notice, and tells the handler", async () => {
    let told: unknown;
    const impl: Implementation = {
      async getStreamVersion(_, { signal }) {
        signal.addEventListener("abort", () => (told = signal.reason));
        await setTimeout(500);
        return create(GetStreamVersionResponseSchema);
      },
    };
    const begun = performance.now();
    const failure = await failureOf(
      client(impl, [errorsInterceptor(() => {}), deadlineInterceptor({ maxTimeoutMs: 20 })]).getStreamVersion({}),
    );
    expect(failure).toMatchObject({ code: "DeadlineExceeded", reason: "DEADLINE_EXCEEDED" });
    expect(performance.now() - begun).toBeLessThan(400);
    expect(told).toMatchObject({ reason: "DEADLINE_EXCEEDED" });
  });

  it("does not hold up a stream, but ends it when the server shuts down", async () => {
    const shutdown = new AbortController();
    const impl: Implementation = {
      async *readMessages(_, { signal }) {
        await setTimeout(50);
        yield {};
        signal.throwIfAborted();
        await new Promise((_resolve, reject) => signal.addEventListener("abort", () => reject(signal.reason)));
      },
    };
    const streams = client(impl, [
      errorsInterceptor(() => {}),
      deadlineInterceptor({ maxTimeoutMs: 20, shutdown: shutdown.signal }),
    ]);
    const read = async () => {
      for await (const _ of streams.readMessages({}))
        shutdown.abort(new SatchelError("SHUTTING_DOWN", "the server is shutting down"));
    };
    expect(await failureOf(read())).toMatchObject({ code: "Unavailable", reason: "SHUTTING_DOWN" });
  });

  it("ends a stream at once that begins after the server has shut down", async () => {
    const shutdown = new AbortController();
    shutdown.abort(new SatchelError("SHUTTING_DOWN", "the server is shutting down"));
    const impl: Implementation = {
      async *readMessages(_, { signal }) {
        signal.throwIfAborted();
        yield {};
      },
    };
    const deadline = deadlineInterceptor({ maxTimeoutMs: 20, shutdown: shutdown.signal });
    const streams = client(impl, [errorsInterceptor(() => {}), deadline]);
    expect(await failureOf(streams.readMessages({}))).toMatchObject({ reason: "SHUTTING_DOWN" });
  });

  it("does not look through all streams for one that ends", async () => {
    const shutdown = new AbortController();
    const impl: Implementation = {
      async *readMessages(_, { signal }) {
        yield {};
        signal.throwIfAborted();
        await new Promise((_resolve, reject) => signal.addEventListener("abort", () => reject(signal.reason)));
      },
    };
    const deadline = deadlineInterceptor({ maxTimeoutMs: 20, shutdown: shutdown.signal });
    const streams = client(impl, [errorsInterceptor(() => {}), deadline]);
    const open = Array.from({ length: 10 }, () => streams.readMessages({})[Symbol.asyncIterator]());
    await Promise.all(open.map((stream) => stream.next()));
    expect(getEventListeners(shutdown.signal, "abort")).toHaveLength(1);
    shutdown.abort(new SatchelError("SHUTTING_DOWN", "the server is shutting down"));
    for (const stream of open)
      expect(await failureOf(stream.next())).toMatchObject({ code: "Unavailable", reason: "SHUTTING_DOWN" });
  });

  it("leaves nothing behind of a call that is refused further in", async () => {
    const [started, stopped] = [vi.spyOn(globalThis, "setTimeout"), vi.spyOn(globalThis, "clearTimeout")];
    const refuse: Interceptor = () => () => {
      throw new SatchelError("FIELD_INVALID", "no");
    };
    const chain = [errorsInterceptor(() => {}), deadlineInterceptor({ maxTimeoutMs: 60_000 }), refuse];
    expect(await failureOf(client({}, chain).getStreamVersion({}))).toMatchObject({ reason: "FIELD_INVALID" });
    const limit = started.mock.calls.findIndex(([, ms]) => ms === 60_000);
    expect(stopped).toHaveBeenCalledWith(started.mock.results[limit]?.value);
    vi.restoreAllMocks();
  });

  it("borrows the signal of a call where it may, and leaves the request as it is", async () => {
    const call = new Call("id", "satchel.v1.StreamService/GetStreamVersion", "grpc");
    const controller = new AbortController();
    call.cutOff = (reason) => controller.abort(reason);
    const request = {
      stream: false,
      signal: controller.signal,
      contextValues: createContextValues().set(callKey, call),
    } as unknown as Parameters<ReturnType<Interceptor>>[0];
    const seen: unknown[] = [];
    const next: ReturnType<Interceptor> = (request) => {
      seen.push(request);
      return new Promise(() => undefined);
    };
    const limited = deadlineInterceptor({ maxTimeoutMs: 5 })(next)(request);
    await expect(limited).rejects.toMatchObject({ reason: "DEADLINE_EXCEEDED" });
    expect([seen[0] === request, controller.signal.reason]).toMatchObject([true, { reason: "DEADLINE_EXCEEDED" }]);
  });
});

type Implementation = Partial<ServiceImpl<typeof StreamService>>;

function client(impl: Implementation, interceptors: Interceptor[]) {
  return createClient(
    StreamService,
    createRouterTransport((router) => router.service(StreamService, impl), { router: { interceptors } }),
  );
}
