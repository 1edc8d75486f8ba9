import type { Interceptor } from "@connectrpc/connect";
import fc from "fast-check";
import { isDeepStrictEqual } from "node:util";
import { expect, test, vi } from "vitest";
import { DEFAULT_LIMITS } from "../../src/config/limits.ts";
import { StreamService } from "../../src/gen/satchel/v1/streams_pb.ts";
import { deadlineInterceptor } from "../../src/kernel/rpc/interceptors/deadline.ts";
import { errorsInterceptor } from "../../src/kernel/rpc/interceptors/errors.ts";
import { validateInterceptor } from "../../src/kernel/rpc/interceptors/validate.ts";
import { type Pair, startPair } from "./pair.ts";
import { type CallOptions, MAX_REQUEST_BYTES, anyCall, rawRequest } from "./requests.ts";

const SEED = 20_260_701;
const CALLS = 2_000;
const AT_ONCE = 16;
const LIMITS = { maxRequestBytes: MAX_REQUEST_BYTES };

// A fault is known by a new id each time.
vi.mock(import("node:crypto"), async (original) => ({
  ...(await original()),
  randomUUID: () => "00000000-0000-4000-8000-000000000000" as const,
}));

const CHAINS: Readonly<Record<string, () => Interceptor[]>> = {
  "pass no interceptors": () => [],
  "pass ours": () => [
    errorsInterceptor(() => undefined),
    deadlineInterceptor({ maxTimeoutMs: 60_000, shutdown: new AbortController().signal }),
    validateInterceptor([StreamService], DEFAULT_LIMITS),
  ],
  "pass some that meddle with everything": () => [meddle],
};

test.each(Object.entries(CHAINS))(
  `${CALLS} calls that %s have the same answers`,
  { timeout: 120_000 },
  async (name, chain) => {
    await using pair = await startPair({ limits: LIMITS }, chain);
    await compare(pair, fc.sample(anyCall, { seed: SEED + name.length, numRuns: CALLS }));
  },
);

/** Puts other headers, trailers, messages and signals in the place of what is there. */
const meddle: Interceptor = (next) => async (request) => {
  request.header.set("x-meddled", "with");
  const { signal } = new AbortController();
  const header = new Headers(request.header);
  const response = await next({ ...request, signal, header });
  const meddled = { header: new Headers(response.header), trailer: new Headers(response.trailer) };
  meddled.header.set("x-interceptor", "here");
  meddled.trailer.set("x-interceptor", "there");
  if (!response.stream) return { ...response, ...meddled };
  return { ...response, ...meddled, message: doubled(response.message) };
};

async function* doubled<T>(messages: AsyncIterable<T>): AsyncGenerator<T> {
  for await (const message of messages) {
    yield message;
    yield message;
  }
}

async function compare({ lean, connect }: Pair, calls: readonly CallOptions[]): Promise<void> {
  const pending = calls.entries();
  const differences: unknown[] = [];
  const worker = async (): Promise<void> => {
    for (const [index, call] of pending) {
      const request = rawRequest(call);
      const id = `call-${index}`;
      const [ours, theirs] = await Promise.all([lean.send(id, request), connect.send(id, request)]);
      if (!isDeepStrictEqual(ours, theirs)) differences.push({ call, lean: ours, connect: theirs });
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
  expect(differences).toEqual([]);
}
