import { describe, expect, it } from "vitest";
import { newToken } from "../../src/domain/token.ts";
import { failureOf } from "../support/failures.ts";
import {
  type Harness,
  NamespaceService,
  Role,
  ServerService,
  StreamService,
  type StreamClient,
} from "../support/harness.ts";
import { ALL, inCategory, message, readAll } from "../support/streams.ts";

/** Every RPC of StreamService, with a good request. */
const STREAM_CALLS: Readonly<Record<string, readonly [Role, (streams: StreamClient) => Promise<unknown>]>> = {
  AppendMessages: [Role.WRITER, (streams) => streams.appendMessages({ streamName: "a-1", messages: [message(1)] })],
  AppendToStreams: [
    Role.WRITER,
    (streams) => streams.appendToStreams({ appends: [{ streamName: "a-1", messages: [message(1)] }] }),
  ],
  GetStreamMessages: [Role.READER, (streams) => streams.getStreamMessages({ streamName: "a-1" })],
  GetCategoryMessages: [Role.READER, (streams) => streams.getCategoryMessages({ category: "a" })],
  GetLastStreamMessage: [Role.READER, (streams) => streams.getLastStreamMessage({ streamName: "a-1" })],
  GetStreamVersion: [Role.READER, (streams) => streams.getStreamVersion({ streamName: "a-1" })],
  ReadMessages: [Role.READER, (streams) => readAll(streams, { selector: ALL })],
  ListCategories: [Role.READER, (streams) => streams.listCategories({})],
  ListStreams: [Role.READER, (streams) => streams.listStreams({})],
  TruncateStream: [Role.ADMIN, (streams) => streams.truncateStream({ streamName: "a-1", beforePosition: 1n })],
  DeleteStream: [Role.ADMIN, (streams) => streams.deleteStream({ streamName: "a-1" })],
  SetRetention: [Role.ADMIN, (streams) => streams.setRetention({ target: inCategory("a"), policy: { maxCount: 1n } })],
  GetRetention: [Role.READER, (streams) => streams.getRetention({ target: inCategory("a") })],
};

/** Who may call what. */
export function accessContract(h: () => Harness): void {
  describe("access", () => {
    it("covers every RPC of the service", () => {
      expect(Object.keys(STREAM_CALLS).toSorted()).toEqual(StreamService.methods.map(({ name }) => name).toSorted());
    });

    it.each(Object.entries(STREAM_CALLS))(
      "%s is open to the roles that its rule names, and to nobody else",
      async (_, [least, call]) => {
        const { id } = await h().namespace();
        for (const role of [Role.READER, Role.WRITER, Role.ADMIN]) {
          const streams = await h().streamsAs(id, role);
          if (role >= least) await call(streams);
          else
            expect(await failureOf(call(streams))).toMatchObject({
              code: "PermissionDenied",
              reason: "ACCESS_DENIED",
              fields: [],
            });
        }
        expect(await failureOf(call(h().holding(StreamService, `Bearer ${h().rootToken}`)))).toMatchObject({
          code: "PermissionDenied",
          reason: "ACCESS_DENIED",
        });
        expect(await failureOf(call(h().anyone(StreamService)))).toMatchObject({
          code: "Unauthenticated",
          reason: "CREDENTIAL_MISSING",
        });
        expect(await failureOf(call(h().holding(StreamService, "Bearer nonsense")))).toMatchObject({
          code: "Unauthenticated",
          reason: "CREDENTIAL_INVALID",
        });
      },
    );

    it("to namespaces is the operator's alone", async () => {
      const { id, token } = await h().namespace();
      for (const method of NamespaceService.methods) {
        const call = (client: Harness["operator"]) =>
          (client[method.localName as keyof Harness["operator"]] as (request: object) => Promise<unknown>)({
            namespaceId: id,
          });
        expect(await failureOf(call(h().holding(NamespaceService, `Bearer ${token}`)))).toMatchObject({
          code: "PermissionDenied",
          reason: "ACCESS_DENIED",
        });
        expect(await failureOf(call(h().anyone(NamespaceService)))).toMatchObject({
          code: "Unauthenticated",
          reason: "CREDENTIAL_MISSING",
        });
      }
      await h().operator.getNamespace({ namespaceId: id });
    });

    it("is checked before anything is said about the request", async () => {
      const { id } = await h().namespace();
      const reader = await h().streamsAs(id, Role.READER);
      const bad = { streamName: "", messages: [] };
      expect(await failureOf(reader.appendMessages(bad))).toMatchObject({ reason: "ACCESS_DENIED", fields: [] });
      expect(await failureOf(h().anyone(StreamService).appendMessages(bad))).toMatchObject({
        reason: "CREDENTIAL_MISSING",
        fields: [],
      });
    });

    it("to GetServerInfo is anyone's, with whatever credential", async () => {
      const info = await h().anyone(ServerService).getServerInfo({});
      expect(info).toMatchObject({ version: "0.0.0-test", engine: h().engine.dialect.engine });
      expect(await h().holding(ServerService, "Bearer nonsense").getServerInfo({})).toEqual(info);
    });

    it("is by a bearer token, however the scheme is written", async () => {
      const { token } = await h().namespace();
      for (const good of [`Bearer ${token}`, `bearer ${token}`, `BEARER  ${token}`])
        await h().holding(StreamService, good).listStreams({});
      const tampered = token.slice(0, -1) + (token.endsWith("A") ? "B" : "A");
      const strangers = [newToken("namespace").token, newToken("root").token];
      const bad = [
        token,
        `Basic ${token}`,
        "Bearer",
        `Bearer ${token} x`,
        `Bearer ${token}, Bearer ${token}`,
        `Bearer ${tampered}`,
        `Bearer ${token.slice(0, -1)}`,
        ...strangers.map((stranger) => `Bearer ${stranger}`),
      ];
      const failures = await Promise.all(
        bad.map((authorization) => failureOf(h().holding(StreamService, authorization).listStreams({}))),
      );
      for (const failure of failures) expect(failure).toEqual(failures[0]);
      expect(failures[0]).toMatchObject({
        code: "Unauthenticated",
        reason: "CREDENTIAL_INVALID",
        metadata: {},
        fields: [],
      });
    });

    it("says the same of a token that is unknown, wrong, expired, revoked or of a namespace that is gone", async () => {
      const { id: namespaceId } = await h().namespace();
      const failure = async (token: string) => failureOf(h().holding(StreamService, `Bearer ${token}`).listStreams({}));
      const unknown = await failure(newToken("namespace").token);

      const { token: revoked, info } = await h().operator.createToken({ namespaceId, role: Role.ADMIN });
      await h().operator.revokeToken({ namespaceId, tokenId: info!.tokenId });
      expect(await failure(revoked)).toEqual(unknown);

      const gone = await h().namespace();
      await h().operator.deleteNamespace({ namespaceId: gone.id });
      expect(await failure(gone.token)).toEqual(unknown);
    });
  });
}
