import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { TokenAuthenticator } from "../../src/areas/namespaces/authenticate.ts";
import { bootstrap } from "../../src/areas/namespaces/bootstrap.ts";
import { type NamespacesContext, oneByOne } from "../../src/areas/namespaces/context.ts";
import { createToken } from "../../src/areas/namespaces/create-token.ts";
import { createNamespace } from "../../src/areas/namespaces/create.ts";
import { deleteNamespace } from "../../src/areas/namespaces/delete.ts";
import { getNamespace } from "../../src/areas/namespaces/get.ts";
import { revokeToken } from "../../src/areas/namespaces/revoke-token.ts";
import { streamStore } from "../../src/areas/streams/store/stores.ts";
import { DEFAULT_LIMITS } from "../../src/config/limits.ts";
import { type Clock, systemClock } from "../../src/kernel/clock.ts";
import { type Limits } from "../../src/kernel/limits.ts";
import { DEFAULT_NAMESPACE, type NamespaceId } from "../../src/kernel/namespace-id.ts";
import type { AnyEngine } from "../../src/kernel/store/engines/any-engine.ts";
import type { Store } from "../../src/kernel/store/store.ts";
import { ENGINES, openEngine, type TestEngine } from "../support/engines.ts";
import { storeOn } from "../support/stores.ts";

const NAMESPACE = "crashed" as NamespaceId;
const READER = { namespaceId: NAMESPACE, role: "reader", description: "" } as const;

describe.each(ENGINES)("on %s", (name) => {
  let engine: TestEngine;
  let store: Store;

  beforeEach(async () => {
    engine = await openEngine(name);
    store = storeOn(engine.engine);
  });
  afterEach(() => engine[Symbol.asyncDispose]());

  const contextOf = (of: Store, limits: Partial<Limits> = {}, clock: Clock = systemClock()): NamespacesContext => ({
    store: of,
    limits: { ...DEFAULT_LIMITS, ...limits },
    clock,
    statistics: (namespaceId, options) => streamStore(of.engine, namespaceId).statistics(options),
    inTurn: oneByOne(),
  });
  const create = (namespaceId: NamespaceId, description = "", context = contextOf(store)) =>
    createNamespace(context, { namespaceId, description });
  const get = (namespaceId: NamespaceId) => getNamespace(contextOf(store), namespaceId, {});
  const remove = (namespaceId: NamespaceId, context = contextOf(store)) => deleteNamespace(context, namespaceId, {});

  describe("the first start", () => {
    it("makes a root token and the default namespace, once, however many start at once", async () => {
      const made = await Promise.all(Array.from({ length: 5 }, () => bootstrap(store, {})));
      const rootTokens = made.flatMap(({ rootToken }) => rootToken ?? []);
      const tokens = made.flatMap(({ defaultNamespaceToken }) => defaultNamespaceToken ?? []);
      expect([rootTokens.length, tokens.length]).toEqual([1, 1]);
      const authentication = new TokenAuthenticator(store);
      expect(await authentication.authenticate(rootTokens[0]!)).toEqual({ kind: "operator" });
      expect(await authentication.authenticate(tokens[0]!)).toMatchObject({
        kind: "service",
        namespaceId: DEFAULT_NAMESPACE,
        role: "admin",
      });
      expect(await bootstrap(store, {})).toEqual({});
    });

    it("leaves the root token to an operator who has one, whatever it looks like", async () => {
      const rootToken = "correct horse battery staple";
      expect(await bootstrap(store, { rootToken })).toEqual({ defaultNamespaceToken: expect.any(String) });
      const authentication = new TokenAuthenticator(store, { rootToken });
      expect(await authentication.authenticate(rootToken)).toEqual({ kind: "operator" });
      await expect(authentication.authenticate(`${rootToken} `)).rejects.toMatchObject({
        reason: "CREDENTIAL_INVALID",
      });
      await expect(new TokenAuthenticator(store).authenticate(rootToken)).rejects.toMatchObject({
        reason: "CREDENTIAL_INVALID",
      });
      expect(() => new TokenAuthenticator(store, { rootToken: "too short" })).toThrow(RangeError);
    });

    it("takes the operator's own root token in place of the generated one", async () => {
      const { rootToken: generated } = await bootstrap(store, {});
      const authentication = new TokenAuthenticator(store, { rootToken: "correct horse battery staple" });
      await expect(authentication.authenticate(generated!)).rejects.toMatchObject({ reason: "CREDENTIAL_INVALID" });
    });

    it("does not bring back a default namespace that was deleted, nor mind one made by hand", async () => {
      await create(DEFAULT_NAMESPACE, "by hand");
      expect(await bootstrap(store, { rootToken: "correct horse battery staple" })).toEqual({});
      await remove(DEFAULT_NAMESPACE);
      expect(await bootstrap(store, { rootToken: "correct horse battery staple" })).toEqual({});
      await expect(get(DEFAULT_NAMESPACE)).rejects.toMatchObject({ reason: "NAMESPACE_NOT_FOUND" });
    });
  });

  describe("what was cut off", () => {
    it("in a creation leaves nothing in the way of the next one", async () => {
      const failing = storeOn(after(engine.engine, "provisionNamespace"));
      await expect(create(NAMESPACE, "", contextOf(failing))).rejects.toThrow("cut off");
      await expect(get(NAMESPACE)).rejects.toMatchObject({ reason: "NAMESPACE_NOT_FOUND" });
      const { token } = await create(NAMESPACE);
      expect(await new TokenAuthenticator(store).authenticate(token)).toMatchObject({ namespaceId: NAMESPACE });
      expect((await get(NAMESPACE)).statistics).toMatchObject({ messageCount: 0n });
    });

    it.each(["before", "after"] as const)(
      "in a deletion, %s the data were gone, is finished by the next one",
      async (when) => {
        const { token } = await create(NAMESPACE);
        const cutOff =
          when === "before" ? before(engine.engine, "dropNamespace") : after(engine.engine, "dropNamespace");
        await expect(remove(NAMESPACE, contextOf(storeOn(cutOff)))).rejects.toThrow("cut off");

        await expect(new TokenAuthenticator(store).authenticate(token)).rejects.toMatchObject({
          reason: "CREDENTIAL_INVALID",
        });
        expect(await get(NAMESPACE)).toMatchObject({
          namespace: { state: "deleting" },
          statistics: undefined,
        });
        await expect(create(NAMESPACE)).rejects.toMatchObject({ reason: "NAMESPACE_EXISTS" });
        const request = { ...READER, expireTimeMicros: undefined };
        await expect(createToken(contextOf(store), request)).rejects.toMatchObject({ reason: "NAMESPACE_DELETING" });

        expect((await remove(NAMESPACE)).tokenCount).toBe(1);
        await create(NAMESPACE);
      },
    );
  });

  describe("the limit", () => {
    it("of namespaces", async () => {
      const limited = contextOf(store, { maxNamespaces: 2 });
      await create("one" as NamespaceId, "", limited);
      await create("two" as NamespaceId, "", limited);
      const refused = {
        reason: "LIMIT_EXCEEDED",
        facts: [{ metadata: { limit: "max_namespaces", maximum: "2", actual: "3" } }],
      };
      await expect(create(NAMESPACE, "", limited)).rejects.toMatchObject(refused);
      await remove("one" as NamespaceId, limited);
      await create(NAMESPACE, "", limited);
    });

    it("of a namespace's tokens, of which the revoked and expired do not count", async () => {
      await create(NAMESPACE);
      let now = 1_000n;
      const limited = contextOf(store, { maxTokensPerNamespace: 3 }, () => now);
      const make = (expireTimeMicros?: bigint) => createToken(limited, { ...READER, expireTimeMicros });
      await make(2_000n);
      const { info } = await make();
      const refused = {
        reason: "LIMIT_EXCEEDED",
        facts: [{ metadata: { limit: "max_tokens_per_namespace", maximum: "3", actual: "4" } }],
      };
      await expect(make()).rejects.toMatchObject(refused);
      await revokeToken(limited, { namespaceId: NAMESPACE, tokenId: info.id });
      await make();
      await expect(make()).rejects.toMatchObject(refused);
      now = 2_000n;
      await make();
      await expect(make()).rejects.toMatchObject(refused);
    });
  });
});

/** The engine, cut off before it does this. */
function before(engine: AnyEngine, method: "dropNamespace"): AnyEngine {
  return replacing(engine, method, () => Promise.reject(new Error("cut off")));
}

/** The engine, cut off after it has done this. */
function after(engine: AnyEngine, method: "dropNamespace" | "provisionNamespace"): AnyEngine {
  return replacing(engine, method, async (...args) => {
    await (engine[method] as (...given: unknown[]) => Promise<void>).apply(engine, args);
    throw new Error("cut off");
  });
}

function replacing(
  engine: AnyEngine,
  method: keyof AnyEngine,
  replacement: (...args: unknown[]) => Promise<void>,
): AnyEngine {
  return new Proxy(engine, {
    get(target, property) {
      if (property === method) return replacement;
      const value: unknown = Reflect.get(target, property, target);
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
}
