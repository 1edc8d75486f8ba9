import { expect } from "vitest";
import { newToken } from "../../src/kernel/crypto/token.ts";
import { VERSION } from "../../src/kernel/version.ts";
import { describe, it } from "../support/cases.ts";
import { failureOf } from "../support/failures.ts";
import {
  ConsumerGroupService,
  type GroupClient,
  type Harness,
  NamespaceService,
  Role,
  ServerService,
  type StreamClient,
  StreamService,
} from "../support/harness.ts";
import { ALL, inCategory, message, readAll } from "../support/streams.ts";

interface Clients {
  readonly streams: StreamClient;
  readonly groups: GroupClient;
}

type Call = (clients: Clients) => Promise<unknown>;

const GROUP = { consumerGroupId: "g", category: "a" };
const LEASE = { consumerGroupId: "g", partition: 0, epoch: 9_999n };

/** Every RPC that a service may call, with a good request. */
const CALLS: Readonly<Record<string, readonly [Role, Call]>> = {
  AppendMessages: [Role.WRITER, ({ streams }) => streams.appendMessages({ streamName: "a-1", messages: [message(1)] })],
  AppendToStreams: [
    Role.WRITER,
    ({ streams }) => streams.appendToStreams({ appends: [{ streamName: "a-1", messages: [message(1)] }] }),
  ],
  GetStreamMessages: [Role.READER, ({ streams }) => streams.getStreamMessages({ streamName: "a-1" })],
  GetCategoryMessages: [Role.READER, ({ streams }) => streams.getCategoryMessages({ category: "a" })],
  GetLastStreamMessage: [Role.READER, ({ streams }) => streams.getLastStreamMessage({ streamName: "a-1" })],
  GetStreamVersion: [Role.READER, ({ streams }) => streams.getStreamVersion({ streamName: "a-1" })],
  ReadMessages: [Role.READER, ({ streams }) => readAll(streams, { selector: ALL })],
  ListCategories: [Role.READER, ({ streams }) => streams.listCategories({})],
  ListStreams: [Role.READER, ({ streams }) => streams.listStreams({})],
  TruncateStream: [Role.ADMIN, ({ streams }) => streams.truncateStream({ streamName: "a-1", beforePosition: 1n })],
  DeleteStream: [Role.ADMIN, ({ streams }) => streams.deleteStream({ streamName: "a-1" })],
  SetRetention: [
    Role.ADMIN,
    ({ streams }) => streams.setRetention({ target: inCategory("a"), policy: { maxCount: 1n } }),
  ],
  GetRetention: [Role.READER, ({ streams }) => streams.getRetention({ target: inCategory("a") })],
  CreateConsumerGroup: [Role.WRITER, ({ groups }) => groups.createConsumerGroup({ consumerGroup: GROUP })],
  GetConsumerGroup: [Role.READER, ({ groups }) => groups.getConsumerGroup({ consumerGroupId: "g" })],
  ListConsumerGroups: [Role.READER, ({ groups }) => groups.listConsumerGroups({})],
  UpdateConsumerGroup: [
    Role.ADMIN,
    ({ groups }) => groups.updateConsumerGroup({ consumerGroup: GROUP, updateMask: { paths: ["retry_policy"] } }),
  ],
  DeleteConsumerGroup: [Role.ADMIN, ({ groups }) => groups.deleteConsumerGroup({ consumerGroupId: "g" })],
  ResetConsumerGroup: [Role.ADMIN, ({ groups }) => groups.resetConsumerGroup({ consumerGroupId: "g" })],
  Consume: [Role.WRITER, ({ groups }) => firstOf(groups.consume({ consumerGroupId: "g" }))],
  Acknowledge: [Role.WRITER, ({ groups }) => fenced(groups.acknowledge(LEASE))],
  Reject: [
    Role.WRITER,
    ({ groups }) => fenced(groups.reject({ ...LEASE, globalPositions: [1n], action: { case: "skip", value: {} } })),
  ],
  ListParkedMessages: [Role.READER, ({ groups }) => groups.listParkedMessages({ consumerGroupId: "g" })],
  ReplayParkedMessages: [Role.WRITER, ({ groups }) => groups.replayParkedMessages({ consumerGroupId: "g", all: true })],
  DeleteParkedMessages: [Role.ADMIN, ({ groups }) => groups.deleteParkedMessages({ consumerGroupId: "g", all: true })],
};

/** Who may call what. */
export function accessContract(h: () => Harness): void {
  const holding = (credential: string): Clients => ({
    streams: h().holding(StreamService, `Bearer ${credential}`),
    groups: h().holding(ConsumerGroupService, `Bearer ${credential}`),
  });

  describe("access", () => {
    it("covers every RPC of the services", () => {
      const methods = [StreamService, ConsumerGroupService].flatMap((service) => service.methods);
      expect(Object.keys(CALLS).toSorted()).toEqual(methods.map(({ name }) => name).toSorted());
    });

    it.each(Object.entries(CALLS))(
      "%s is open to the roles that its rule names, and to nobody else",
      async (_, [least, call]) => {
        const { id, consumerGroups } = await h().namespace();
        await consumerGroups.createConsumerGroup({ consumerGroup: GROUP });
        for (const role of [Role.READER, Role.WRITER, Role.ADMIN]) {
          const clients = holding(await h().tokenOf(id, role));
          if (role >= least) await call(clients);
          else
            expect(await failureOf(call(clients))).toMatchObject({
              code: "PermissionDenied",
              reason: "ACCESS_DENIED",
              fields: [],
            });
        }
        expect(await failureOf(call(holding(h().rootToken)))).toMatchObject({
          code: "PermissionDenied",
          reason: "ACCESS_DENIED",
        });
        const anyone = { streams: h().anyone(StreamService), groups: h().anyone(ConsumerGroupService) };
        expect(await failureOf(call(anyone))).toMatchObject({
          code: "Unauthenticated",
          reason: "CREDENTIAL_MISSING",
        });
        expect(await failureOf(call(holding("nonsense")))).toMatchObject({
          code: "Unauthenticated",
          reason: "CREDENTIAL_INVALID",
        });
      },
    );

    it.overWire("to namespaces is the operator's alone", async () => {
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

    it.overWire("is checked before anything is said about the request", async () => {
      const { id } = await h().namespace();
      const reader = await h().streamsAs(id, Role.READER);
      const bad = { streamName: "", messages: [] };
      expect(await failureOf(reader.appendMessages(bad))).toMatchObject({ reason: "ACCESS_DENIED", fields: [] });
      expect(await failureOf(h().anyone(StreamService).appendMessages(bad))).toMatchObject({
        reason: "CREDENTIAL_MISSING",
        fields: [],
      });
    });

    it.overWire("to GetServerInfo is anyone's, with whatever credential", async () => {
      const info = await h().anyone(ServerService).getServerInfo({});
      expect(info).toMatchObject({ version: VERSION, engine: h().engine.engine.kind });
      expect(await h().holding(ServerService, "Bearer nonsense").getServerInfo({})).toEqual(info);
    });

    it.overWire("is by a bearer token, however the scheme is written", async () => {
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

    it.overWire(
      "says the same of a token that is unknown, wrong, expired, revoked or of a namespace that is gone",
      async () => {
        const { id: namespaceId } = await h().namespace();
        const failure = async (token: string) =>
          failureOf(h().holding(StreamService, `Bearer ${token}`).listStreams({}));
        const unknown = await failure(newToken("namespace").token);

        const { token: revoked, info } = await h().operator.createToken({ namespaceId, role: Role.ADMIN });
        await h().operator.revokeToken({ namespaceId, tokenId: info!.tokenId });
        expect(await failure(revoked)).toEqual(unknown);

        const gone = await h().namespace();
        await h().operator.deleteNamespace({ namespaceId: gone.id });
        expect(await failure(gone.token)).toEqual(unknown);
      },
    );
  });
}

async function firstOf(frames: AsyncIterable<unknown>): Promise<void> {
  for await (const _ of frames) return;
}

/** Settling without a lease: whoever is let in is told that it has none. */
async function fenced(call: Promise<unknown>): Promise<void> {
  const { reason } = await failureOf(call);
  if (reason !== "LEASE_LOST") await call;
}
