import { expect } from "vitest";
import { NamespaceState } from "../../src/gen/satchel/v1/namespaces_pb.ts";
import { describe, it } from "../support/cases.ts";
import { failureOf } from "../support/failures.ts";
import { type Harness, Role, StreamService } from "../support/harness.ts";
import { append, upTo, valuesOf } from "../support/streams.ts";

const BAD_IDS = ["", "-a", "_a", "A", "a.b", "a/b", "../a", "a b", "ä", "a\u0000", "a".repeat(41)];

/** NamespaceService. */
export function namespacesContract(h: () => Harness): void {
  describe("CreateNamespace", () => {
    it.overWire("makes an empty namespace, and a token that does everything in it", async () => {
      const { namespace, token } = await h().operator.createNamespace({
        namespaceId: "create-1",
        description: "a «description» 😀",
      });
      expect(namespace).toMatchObject({
        namespaceId: "create-1",
        description: "a «description» 😀",
        state: NamespaceState.ACTIVE,
      });
      expect(namespace!.createTime).toEqual(namespace!.updateTime);
      const streams = h().holding(StreamService, `Bearer ${token}`);
      expect((await streams.listCategories({})).categories).toEqual([]);
      await append(streams, "a-1", [1]);
      const { tokens } = await h().operator.listTokens({ namespaceId: "create-1" });
      expect(tokens).toMatchObject([{ namespaceId: "create-1", role: Role.ADMIN, description: "" }]);
      expect(tokens[0]).not.toHaveProperty("expireTime");
    });

    it.each(["a", "0", "a-b_c", "default-2", "pg_catalog", "public", "x".repeat(40), "a-b", "a_b"])(
      "takes the id %s",
      async (namespaceId) => {
        const { token } = await h().operator.createNamespace({ namespaceId });
        const streams = h().holding(StreamService, `Bearer ${token}`);
        await append(streams, "a-1", [namespaceId]);
        expect(valuesOf((await streams.getStreamMessages({ streamName: "a-1" })).messages)).toEqual([namespaceId]);
        await h().operator.deleteNamespace({ namespaceId });
      },
    );

    it.each(BAD_IDS)("does not take the id %j", async (namespaceId) => {
      const refused = { code: "InvalidArgument", reason: "FIELD_INVALID", fields: ["namespace_id"] };
      const { operator } = h();
      expect(await failureOf(operator.createNamespace({ namespaceId }))).toMatchObject(refused);
      expect(await failureOf(operator.getNamespace({ namespaceId }))).toMatchObject(refused);
      expect(await failureOf(operator.deleteNamespace({ namespaceId }))).toMatchObject(refused);
      expect(await failureOf(operator.createToken({ namespaceId, role: Role.READER }))).toMatchObject(refused);
      expect(await failureOf(operator.listTokens({ namespaceId }))).toMatchObject(refused);
      const update = operator.updateNamespace({ namespace: { namespaceId }, updateMask: { paths: ["description"] } });
      expect(await failureOf(update)).toMatchObject({ ...refused, fields: ["namespace.namespace_id"] });
    });

    it.overWire("refuses an id that exists, and leaves what is there alone", async () => {
      const { id, streams } = await h().namespace();
      await append(streams, "a-1", [1]);
      expect(await failureOf(h().operator.createNamespace({ namespaceId: id }))).toMatchObject({
        code: "AlreadyExists",
        reason: "NAMESPACE_EXISTS",
      });
      expect(await streams.getStreamVersion({ streamName: "a-1" })).toMatchObject({ version: 0n });
      expect((await h().operator.listTokens({ namespaceId: id })).tokens).toHaveLength(1);
    });

    it("by many at once makes it once", async () => {
      const results = await Promise.allSettled(
        upTo(8).map(() => h().operator.createNamespace({ namespaceId: "race" })),
      );
      const made = results.filter((result) => result.status === "fulfilled");
      expect(made).toHaveLength(1);
      for (const result of results) {
        if (result.status === "rejected")
          expect(await failureOf(Promise.reject(result.reason))).toMatchObject({ reason: "NAMESPACE_EXISTS" });
      }
      await append(h().holding(StreamService, `Bearer ${made[0]!.value.token}`), "a-1", [1]);
      expect((await h().operator.listTokens({ namespaceId: "race" })).tokens).toHaveLength(1);
      expect(h().faults).toEqual([]);
    });
  });

  describe("a namespace", () => {
    it.overWire("is a boundary: nothing of one shows in another", async () => {
      const [one, other] = [await h().namespace(), await h().namespace()];
      await append(one.streams, "a-1", [1, 2]);
      await append(other.streams, "a-1", [3]);
      expect(valuesOf((await one.streams.getCategoryMessages({ category: "a" })).messages)).toEqual([1, 2]);
      expect(valuesOf((await other.streams.getCategoryMessages({ category: "a" })).messages)).toEqual([3]);
      expect((await other.streams.listStreams({})).streams).toMatchObject([{ streamName: "a-1", version: 0n }]);
    });

    it.overWire("says what it holds", async () => {
      const { id, streams } = await h().namespace();
      expect((await h().operator.getNamespace({ namespaceId: id })).statistics).toMatchObject({
        messageCount: 0n,
        categoryCount: 0n,
      });
      await append(streams, "a-1", upTo(10));
      await append(streams, "a-2", [1]);
      await append(streams, "b-1", [1]);
      const { namespace, statistics } = await h().operator.getNamespace({ namespaceId: id });
      expect(namespace).toMatchObject({ namespaceId: id, state: NamespaceState.ACTIVE });
      expect(statistics).toMatchObject({ messageCount: 12n, categoryCount: 2n });
      expect(statistics!.storageBytes).toBeGreaterThan(0n);
    });

    it.overWire("that is not there is NOT_FOUND", async () => {
      const { operator } = h();
      const namespaceId = "nowhere";
      const missing = { code: "NotFound", reason: "NAMESPACE_NOT_FOUND" };
      expect(await failureOf(operator.getNamespace({ namespaceId }))).toMatchObject(missing);
      expect(
        await failureOf(
          operator.updateNamespace({ namespace: { namespaceId }, updateMask: { paths: ["description"] } }),
        ),
      ).toMatchObject(missing);
      expect(await failureOf(operator.deleteNamespace({ namespaceId }))).toMatchObject(missing);
      expect(await failureOf(operator.createToken({ namespaceId, role: Role.READER }))).toMatchObject(missing);
      expect(await failureOf(operator.listTokens({ namespaceId }))).toMatchObject(missing);
      expect(await failureOf(operator.revokeToken({ namespaceId, tokenId: "0".repeat(32) }))).toMatchObject(missing);
    });
  });

  describe("ListNamespaces", () => {
    it.overWire("lists by id, in pages, by prefix", async () => {
      const ids = ["list-a", "list-b", "list0", "list_a", "listing", "lisu"];
      for (const namespaceId of ids) await h().operator.createNamespace({ namespaceId });
      const listed = async (prefix: string, pageSize: number): Promise<string[]> => {
        const found: string[] = [];
        let pageToken = "";
        do {
          const page = await h().operator.listNamespaces({ prefix, pageSize, pageToken });
          found.push(...page.namespaces.map(({ namespaceId }) => namespaceId));
          pageToken = page.nextPageToken;
        } while (pageToken !== "");
        return found;
      };
      expect(await listed("list", 1_000)).toEqual(ids.slice(0, 5));
      expect(await listed("list", 2)).toEqual(ids.slice(0, 5));
      expect(await listed("list-", 1)).toEqual(["list-a", "list-b"]);
      expect(await listed("list_", 1)).toEqual(["list_a"]);
      expect(await listed("LIST", 1)).toEqual([]);
      expect(await listed("list%", 1)).toEqual([]);
      const everything = await listed("", 3);
      expect(everything).toEqual(everything.toSorted((a, b) => (a < b ? -1 : 1)));
      expect(everything).toContain("default");
    });

    it("refuses a token of another list", async () => {
      await h().namespace();
      const { nextPageToken: pageToken } = await h().operator.listNamespaces({ pageSize: 1 });
      const refused = { code: "InvalidArgument", reason: "PAGE_TOKEN_INVALID", fields: ["page_token"] };
      expect(await failureOf(h().operator.listNamespaces({ pageToken, prefix: "t" }))).toMatchObject(refused);
      expect(await failureOf(h().operator.listTokens({ namespaceId: "default", pageToken }))).toMatchObject(refused);
    });
  });

  describe("UpdateNamespace", () => {
    it.overWire("changes the description, and when it was last changed", async () => {
      const { id } = await h().namespace();
      const { namespace: before } = await h().operator.getNamespace({ namespaceId: id });
      const { namespace } = await h().operator.updateNamespace({
        namespace: { namespaceId: id, description: "new" },
        updateMask: { paths: ["description"] },
      });
      expect(namespace).toMatchObject({ namespaceId: id, description: "new", createTime: before!.createTime });
      expect(namespace!.updateTime).not.toEqual(before!.updateTime);
      expect((await h().operator.getNamespace({ namespaceId: id })).namespace).toEqual(namespace);
      await h().operator.updateNamespace({ namespace: { namespaceId: id }, updateMask: { paths: ["description"] } });
      expect((await h().operator.getNamespace({ namespaceId: id })).namespace?.description).toBe("");
    });

    it.overWire("changes nothing else, and not nothing", async () => {
      const { id: namespaceId } = await h().namespace();
      const refused = { code: "InvalidArgument", reason: "FIELD_INVALID", fields: ["update_mask"] };
      for (const updateMask of [
        undefined,
        { paths: [] },
        { paths: ["state"] },
        { paths: ["description", "namespace_id"] },
      ]) {
        const call = h().operator.updateNamespace({
          namespace: { namespaceId, description: "new" },
          ...(updateMask && { updateMask }),
        });
        expect(await failureOf(call)).toMatchObject(refused);
      }
      const failure = await failureOf(h().operator.updateNamespace({ updateMask: { paths: ["description"] } }));
      expect(failure).toMatchObject({ reason: "FIELD_INVALID", fields: ["namespace"] });
      expect((await h().operator.getNamespace({ namespaceId })).namespace?.description).toBe("");
    });
  });

  describe("DeleteNamespace", () => {
    it.overWire("removes everything, says how much it was, and refuses its tokens from then on", async () => {
      const { id, streams } = await h().namespace();
      const reader = await h().streamsAs(id, Role.READER);
      await append(streams, "a-1", upTo(5));
      const { statistics, tokenCount } = await h().operator.deleteNamespace({ namespaceId: id });
      expect(statistics).toMatchObject({ messageCount: 5n, categoryCount: 1n });
      expect(tokenCount).toBe(2n);
      for (const client of [streams, reader]) {
        expect(await failureOf(client.listCategories({}))).toMatchObject({
          code: "Unauthenticated",
          reason: "CREDENTIAL_INVALID",
        });
      }
      expect(await failureOf(h().operator.getNamespace({ namespaceId: id }))).toMatchObject({
        reason: "NAMESPACE_NOT_FOUND",
      });
      expect(await failureOf(h().operator.deleteNamespace({ namespaceId: id }))).toMatchObject({
        reason: "NAMESPACE_NOT_FOUND",
      });
      expect(
        (await h().operator.listNamespaces({ prefix: id })).namespaces.map(({ namespaceId }) => namespaceId),
      ).not.toContain(id);
    });

    it("leaves the id free for an empty namespace, which old tokens do not open", async () => {
      const { id, streams } = await h().namespace();
      await append(streams, "a-1", [1]);
      await h().operator.deleteNamespace({ namespaceId: id });
      const { token } = await h().operator.createNamespace({ namespaceId: id });
      const again = h().holding(StreamService, `Bearer ${token}`);
      expect((await again.listStreams({})).streams).toEqual([]);
      expect(await append(again, "a-1", [2])).toMatchObject([{ position: 0n }]);
      expect(await failureOf(streams.listStreams({}))).toMatchObject({ reason: "CREDENTIAL_INVALID" });
    });

    it("leaves its neighbours alone", async () => {
      const one = await h().operator.createNamespace({ namespaceId: "neighbour" });
      await h().operator.createNamespace({ namespaceId: "neighbour-2" });
      const streams = h().holding(StreamService, `Bearer ${one.token}`);
      await append(streams, "a-1", [1]);
      await h().operator.deleteNamespace({ namespaceId: "neighbour-2" });
      expect(await streams.getStreamVersion({ streamName: "a-1" })).toMatchObject({ version: 0n });
    });

    it("by many at once happens once, and while others write", async () => {
      const { id, streams } = await h().namespace();
      const writes = upTo(50).map((value) =>
        append(streams, "a-1", [value]).then(
          () => "written",
          async (error: unknown) => (await failureOf(Promise.reject(error))).reason,
        ),
      );
      const deletions = await Promise.allSettled(upTo(4).map(() => h().operator.deleteNamespace({ namespaceId: id })));
      expect(deletions.filter(({ status }) => status === "fulfilled").length).toBeGreaterThanOrEqual(1);
      for (const deletion of deletions) {
        if (deletion.status === "rejected")
          expect(await failureOf(Promise.reject(deletion.reason))).toMatchObject({ reason: "NAMESPACE_NOT_FOUND" });
      }
      for (const outcome of await Promise.all(writes))
        expect(["written", "CREDENTIAL_INVALID", "NAMESPACE_NOT_FOUND"]).toContain(outcome);
      expect(await failureOf(h().operator.getNamespace({ namespaceId: id }))).toMatchObject({
        reason: "NAMESPACE_NOT_FOUND",
      });
      expect(h().faults).toEqual([]);
    });
  });
}
