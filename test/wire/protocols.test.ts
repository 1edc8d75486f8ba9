import { Code, ConnectError, createClient } from "@connectrpc/connect";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { ErrorInfoSchema } from "../../src/gen/google/rpc/error_details_pb.ts";
import { ServerService } from "../../src/gen/satchel/v1/server_pb.ts";
import { StreamService } from "../../src/gen/satchel/v1/streams_pb.ts";
import { createAuthority } from "../support/certificates.ts";
import { startTestServer, type TestServer } from "../support/test-server.ts";
import { protocolsOver, transportFor, type Wire } from "../support/transports.ts";

const authority = createAuthority("Satchel's tests");
const certificate = authority.issue("localhost");
const clientCertificate = authority.issue("a client");
const pem = { cert: Buffer.from(certificate.cert), key: Buffer.from(certificate.key) };

const SECURITY = {
  plain: { tls: undefined, nodeOptions: undefined },
  TLS: { tls: { ...pem, clientCa: undefined }, nodeOptions: { ca: authority.cert } },
  mTLS: {
    tls: { ...pem, clientCa: Buffer.from(authority.cert) },
    nodeOptions: { ca: authority.cert, ...clientCertificate },
  },
} as const;

describe.each(Object.entries(SECURITY))("%s", (_name, { tls, nodeOptions }) => {
  let server: TestServer;
  beforeAll(async () => {
    server = await startTestServer({ tls });
  });
  afterAll(() => server[Symbol.asyncDispose]());

  const wire = (http: Wire["http"]): Wire => ({
    http,
    baseUrl: server.url,
    ...(nodeOptions === undefined ? {} : { nodeOptions }),
  });

  describe.each(["1.1", "2"] as const)("HTTP/%s", (http) => {
    describe.each(protocolsOver(http))("%s", (protocol) => {
      test("answers a unary call, its integers exact and its text in UTF-8", async () => {
        const client = createClient(ServerService, transportFor(protocol, wire(http)));
        const { limits } = await client.getServerInfo({});
        expect(limits[0]).toMatchObject({ maximum: 9007199254740993n, description: "Grüße" });
      });

      test("says why a call failed, with its details", async () => {
        const client = createClient(StreamService, transportFor(protocol, wire(http)));
        const error = await failure(client.getStreamVersion({ streamName: "FailedPrecondition" }));
        expect(error.code).toBe(Code.FailedPrecondition);
        expect(error.rawMessage).toBe("as asked: Grüße");
        expect(error.findDetails(ErrorInfoSchema)[0]).toMatchObject({
          reason: "TEST",
          metadata: { streamName: "FailedPrecondition" },
        });
      });

      test("keeps a fault's cause to itself", async () => {
        const client = createClient(StreamService, transportFor(protocol, wire(http)));
        const error = await failure(client.getStreamVersion({ streamName: "fault" }));
        expect(error.code).toBe(Code.Internal);
        expect(error.rawMessage).not.toContain("secret");
      });

      test("streams from the server, large frames among small ones", async () => {
        const client = createClient(StreamService, transportFor(protocol, wire(http)));
        const sizes: number[] = [];
        for await (const { frame } of client.readMessages({
          selector: { case: "streamName", value: "40000" },
          limit: 50n,
        })) {
          sizes.push(frame.case === "messages" ? (frame.value.messages[0]?.data?.length ?? 0) : -1);
        }
        expect(sizes).toEqual([...Array.from({ length: 50 }, () => 40_000), -1]);
      });

      test("ends a call at its deadline", async () => {
        const client = createClient(StreamService, transportFor(protocol, wire(http)));
        const error = await failure(client.appendMessages({ messages: [{ type: "20000" }] }, { timeoutMs: 100 }));
        expect(error.code).toBe(Code.DeadlineExceeded);
      });
    });
  });
});

test("mTLS refuses a client without a certificate, and one of another authority", async () => {
  const stranger = createAuthority("somebody else").issue("a client");
  await using server = await startTestServer(SECURITY.mTLS);
  for (const http of ["1.1", "2"] as const) {
    for (const own of [{}, stranger]) {
      const transport = transportFor("connect proto", {
        http,
        baseUrl: server.url,
        nodeOptions: { ca: authority.cert, ...own },
      });
      const error = await failure(createClient(ServerService, transport).getServerInfo({}));
      expect(error.code).not.toBe(Code.Unimplemented);
    }
  }
  expect(server.log.filter(({ msg }) => msg === "call")).toEqual([]);
});

async function failure(promise: Promise<unknown>): Promise<ConnectError> {
  try {
    await promise;
  } catch (error) {
    return ConnectError.from(error);
  }
  throw new Error("the call did not fail");
}
