import { type Interceptor, type StreamResponse, createContextValues } from "@connectrpc/connect";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { DEFAULT_LIMITS } from "../../src/config/limits.ts";
import { StreamService } from "../../src/gen/satchel/v1/streams_pb.ts";
import type { NamespaceId } from "../../src/kernel/namespace-id.ts";
import type { Principal } from "../../src/kernel/principal.ts";
import { pushOf, pushed, type Take } from "../../src/kernel/pushed.ts";
import { credentialInvalid } from "../../src/kernel/rpc/authenticate.ts";
import { accessInterceptor } from "../../src/kernel/rpc/interceptors/access.ts";
import { CredentialChecks } from "../../src/kernel/rpc/interceptors/credential-checks.ts";
import { upTo } from "../support/streams.ts";

const RECHECK_MS = 1_000;
const PRINCIPAL: Principal = { kind: "service", namespaceId: "n" as NamespaceId, role: "reader", tokenId: "t" };

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

test("a check is shared while it is recent, is never kept longer, and not at all when it has failed", async () => {
  let checks = 0;
  let away = false;
  const shared = new CredentialChecks(async () => {
    checks += 1;
    if (away) throw new Error("away");
    return PRINCIPAL;
  }, RECHECK_MS);
  const [first, second] = [shared.latest("a"), shared.latest("a")];
  expect(second).toBe(first);
  expect(await first.principal).toBe(PRINCIPAL);
  expect(shared.latest("b")).not.toBe(first);
  vi.advanceTimersByTime(RECHECK_MS - 1);
  expect(shared.latest("a")).toBe(first);
  vi.advanceTimersByTime(1);
  expect(vi.getTimerCount()).toBe(0);
  away = true;
  await expect(shared.latest("a").principal).rejects.toThrow("away");
  await expect(shared.latest("a").principal).rejects.toThrow("away");
  expect(checks).toBe(4);
});

test("streams that are pushed share a check each second, and end before the next message once their token is revoked", async () => {
  let checks = 0;
  let revoked = false;
  const access = accessInterceptor({
    recheckMs: 1_000,
    methods: StreamService.methods,
    limits: DEFAULT_LIMITS,
    authenticate: async () => {
      checks += 1;
      if (revoked) throw credentialInvalid();
      return PRINCIPAL;
    },
  });
  const takers: Take<object>[] = [];
  const delivered = upTo(100).map(() => 0);
  const ends = await Promise.all(upTo(100).map((index) => follow(access, takers, () => void delivered[index]!++)));
  const deliver = (): Promise<unknown> => Promise.allSettled(takers.map(async (take) => take({})));
  expect(checks).toBe(100);
  await deliver();
  expect(checks).toBe(100);
  vi.advanceTimersByTime(RECHECK_MS);
  await deliver();
  await deliver();
  expect([checks, new Set(delivered)]).toEqual([101, new Set([3])]);
  revoked = true;
  vi.advanceTimersByTime(RECHECK_MS);
  await deliver();
  for (const [end] of ends) expect(await end).toMatchObject({ reason: "CREDENTIAL_INVALID" });
  expect(new Set(delivered)).toEqual(new Set([3]));
});

/** A stream of ReadMessages that has been let in; the promise inside resolves with why it ended. */
async function follow(access: Interceptor, takers: Take<object>[], take: Take<object>): Promise<[Promise<unknown>]> {
  const messages = pushed<object>((take) => {
    const { promise, reject } = Promise.withResolvers<void>();
    takers.push((message) => take(message)?.catch(reject));
    return promise;
  });
  const response = { stream: true, message: messages } as unknown as StreamResponse;
  const request = {
    stream: true,
    method: StreamService.method.readMessages,
    header: new Headers({ authorization: "Bearer t" }),
    contextValues: createContextValues(),
  } as unknown as Parameters<ReturnType<Interceptor>>[0];
  const { message } = (await access(async () => response)(request)) as StreamResponse;
  const ended = pushOf<object>(message)?.(take) ?? Promise.reject(new Error("is not pushed"));
  return [ended.catch((error: unknown) => error)];
}
