import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { bootstrap } from "../../src/areas/namespaces/bootstrap.ts";
import { NamespaceTokens } from "../../src/areas/namespaces/namespace-tokens.ts";
import { Namespaces } from "../../src/areas/namespaces/namespaces.ts";
import { Tokens } from "../../src/areas/namespaces/tokens.ts";
import { DEFAULT_LIMITS } from "../../src/config/limits.ts";
import { type Limits } from "../../src/kernel/limits.ts";
import { DEFAULT_NAMESPACE, type NamespaceId } from "../../src/kernel/namespace-id.ts";
import type { AnyEngine } from "../../src/kernel/store/engines/any-engine.ts";
import type { Store } from "../../src/kernel/store/store.ts";
import { ENGINES, openEngine, type TestEngine } from "../support/engines.ts";
import { storeOn } from "../support/stores.ts";

const NAMESPACE = "crashed" as NamespaceId;

describe.each(ENGINES)("on %s", (name) => {
  let engine: TestEngine;
  let store: Store;

  beforeEach(async () => {
    engine = await openEngine(name);
    store = storeOn(engine.engine);
  });
  afterEach(() => engine[Symbol.asyncDispose]());

  const namespaces = (of: Store = store, limits: Partial<Limits> = {}) =>
    new Namespaces(of, { ...DEFAULT_LIMITS, ...limits });

  describe("the first start", () => {
    it("makes a root token and the default namespace, once, however many start at once", async () => {
      const made = await Promise.all(Array.from({ length: 5 }, () => bootstrap(store, {})));
      const rootTokens = made.flatMap(({ rootToken }) => rootToken ?? []);
      const tokens = made.flatMap(({ defaultNamespaceToken }) => defaultNamespaceToken ?? []);
      expect([rootTokens.length, tokens.length]).toEqual([1, 1]);
      const authentication = new Tokens(store);
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
      const authentication = new Tokens(store, { rootToken });
      expect(await authentication.authenticate(rootToken)).toEqual({ kind: "operator" });
      await expect(authentication.authenticate(`${rootToken} `)).rejects.toMatchObject({
        reason: "CREDENTIAL_INVALID",
      });
      await expect(new Tokens(store).authenticate(rootToken)).rejects.toMatchObject({ reason: "CREDENTIAL_INVALID" });
      expect(() => new Tokens(store, { rootToken: "too short" })).toThrow(RangeError);
    });

    it("takes the operator's own root token in place of the generated one", async () => {
      const { rootToken: generated } = await bootstrap(store, {});
      const authentication = new Tokens(store, { rootToken: "correct horse battery staple" });
      await expect(authentication.authenticate(generated!)).rejects.toMatchObject({ reason: "CREDENTIAL_INVALID" });
    });

    it("does not bring back a default namespace that was deleted, nor mind one made by hand", async () => {
      await namespaces().create(DEFAULT_NAMESPACE, "by hand");
      expect(await bootstrap(store, { rootToken: "correct horse battery staple" })).toEqual({});
      await namespaces().delete(DEFAULT_NAMESPACE, {});
      expect(await bootstrap(store, { rootToken: "correct horse battery staple" })).toEqual({});
      await expect(namespaces().get(DEFAULT_NAMESPACE, {})).rejects.toMatchObject({ reason: "NAMESPACE_NOT_FOUND" });
    });
  });

  describe("what was cut off", () => {
    it("in a creation leaves nothing in the way of the next one", async () => {
      const failing = storeOn(after(engine.engine, "provisionNamespace"));
      await expect(namespaces(failing).create(NAMESPACE, "")).rejects.toThrow("cut off");
      await expect(namespaces().get(NAMESPACE, {})).rejects.toMatchObject({ reason: "NAMESPACE_NOT_FOUND" });
      const { token } = await namespaces().create(NAMESPACE, "");
      expect(await new Tokens(store).authenticate(token)).toMatchObject({ namespaceId: NAMESPACE });
      expect((await namespaces().get(NAMESPACE, {})).statistics).toMatchObject({ messageCount: 0n });
    });

    it.each(["before", "after"] as const)(
      "in a deletion, %s the data were gone, is finished by the next one",
      async (when) => {
        const { token } = await namespaces().create(NAMESPACE, "");
        const cutOff =
          when === "before" ? before(engine.engine, "dropNamespace") : after(engine.engine, "dropNamespace");
        await expect(namespaces(storeOn(cutOff)).delete(NAMESPACE, {})).rejects.toThrow("cut off");

        await expect(new Tokens(store).authenticate(token)).rejects.toMatchObject({ reason: "CREDENTIAL_INVALID" });
        expect(await namespaces().get(NAMESPACE, {})).toMatchObject({
          namespace: { state: "deleting" },
          statistics: undefined,
        });
        await expect(namespaces().create(NAMESPACE, "")).rejects.toMatchObject({ reason: "NAMESPACE_EXISTS" });
        const tokens = new NamespaceTokens(store, DEFAULT_LIMITS);
        const request = { namespaceId: NAMESPACE, role: "reader", description: "", expireTime: undefined } as const;
        await expect(tokens.create(request)).rejects.toMatchObject({ reason: "NAMESPACE_DELETING" });

        expect((await namespaces().delete(NAMESPACE, {})).tokenCount).toBe(1);
        await namespaces().create(NAMESPACE, "");
      },
    );
  });

  describe("the limit", () => {
    it("of namespaces", async () => {
      const limited = namespaces(store, { maxNamespaces: 2 });
      await limited.create("one" as NamespaceId, "");
      await limited.create("two" as NamespaceId, "");
      const refused = {
        reason: "LIMIT_EXCEEDED",
        facts: [{ metadata: { limit: "max_namespaces", maximum: "2", actual: "3" } }],
      };
      await expect(limited.create(NAMESPACE, "")).rejects.toMatchObject(refused);
      await limited.delete("one" as NamespaceId, {});
      await limited.create(NAMESPACE, "");
    });

    it("of a namespace's tokens, of which the revoked and expired do not count", async () => {
      await namespaces().create(NAMESPACE, "");
      let now = 1_000n;
      const tokens = new NamespaceTokens(store, { ...DEFAULT_LIMITS, maxTokensPerNamespace: 3 }, () => now);
      const make = (expireTime?: bigint) =>
        tokens.create({ namespaceId: NAMESPACE, role: "reader", description: "", expireTime });
      await make(2_000n);
      const { info } = await make();
      const refused = {
        reason: "LIMIT_EXCEEDED",
        facts: [{ metadata: { limit: "max_tokens_per_namespace", maximum: "3", actual: "4" } }],
      };
      await expect(make()).rejects.toMatchObject(refused);
      await tokens.revoke(NAMESPACE, info.id);
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
