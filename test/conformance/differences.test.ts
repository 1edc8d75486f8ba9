import { Code, ConnectError, type Interceptor } from "@connectrpc/connect";
import { once } from "node:events";
import { constants } from "node:http2";
import { promisify } from "node:util";
import { describe, expect, test } from "vitest";
import { StreamService } from "../../src/gen/satchel/v1/streams_pb.ts";
import { envelope, http2Request, http2Session } from "../support/raw.ts";
import { startTestServer } from "../support/test-server.ts";
import { type Side, startPair } from "./pair.ts";
import { type CallOptions, rawRequest } from "./requests.ts";

/** Everything in which our adapter is meant to differ from Connect's, each with its reason. */
describe("our adapter, unlike Connect's,", () => {
  /** Node's timers fire at once when they are to wait longer than they can: such a call would have no time at all. */
  test.each([
    ["application/grpc", "99999999H"],
    ["application/grpc-web", "1000H"],
    ["application/json", "9999999999"],
  ])("gives a call by %s the %s that it asks for", async (contentType, timeout) => {
    await using pair = await startPair({}, () => []);
    const request = rawRequest({ rpc: "unary", contentType, timeout, script: "sleep 20;reason" });
    expect((await pair.lean.send("long", request)).logged).toMatchObject({ status: "UNKNOWN" });
    expect((await pair.connect.send("long", request)).logged).toMatchObject({ status: "DEADLINE_EXCEEDED" });
  });

  /**
   * It reads a request before it runs it, so that it can still hand it over. Connect runs the interceptors of a server
   * stream before, which may refuse it for its headers alone. Callers of server streams send one message, and its end
   * with it; who does not is hung up on in time.
   */
  test("answers a server stream after the end of its request", async () => {
    const refuse: Interceptor = () => () => Promise.reject(new ConnectError("no", Code.PermissionDenied));
    await using pair = await startPair({}, () => [refuse]);
    expect(await answersEarly(pair.connect)).toBe(true);
    expect(await answersEarly(pair.lean)).toBe(false);
  });

  /** Connect's lets the process end by what node throws then; nobody but a handler of ours can set such a trailer. */
  test("ends only the call whose handler has set a trailer that node will not send", async () => {
    await using server = await startTestServer({
      rpcAdapter: "lean",
      routes: (router) =>
        router.service(StreamService, {
          getStreamVersion(_, { responseTrailer }) {
            responseTrailer.set("upgrade", "h2c");
            return {};
          },
        }),
    });
    const session = http2Session(server.url);
    const headers = { ":path": "/satchel.v1.StreamService/GetStreamVersion", "content-type": "application/grpc" };
    const { trailers, rstCode } = await http2Request(session, headers, envelope(new Uint8Array()));
    expect([trailers, rstCode]).toEqual([{}, constants.NGHTTP2_CANCEL]);
    expect(server.log).toContainEqual(expect.objectContaining({ level: "error", msg: "a call could not be answered" }));
    session.destroy();
  });

  /** A signal that nobody listens to any more takes longer to fire than most of what a call needs. */
  test("leaves the signal of a unary call alone that has ended well", async () => {
    for (const [rpcAdapter, fires] of [
      ["connect", true],
      ["lean", false],
    ] as const) {
      const signals: AbortSignal[] = [];
      await using server = await startTestServer({
        rpcAdapter,
        routes: (router) =>
          router.service(StreamService, {
            getStreamVersion(_, { signal }) {
              signals.push(signal);
              return {};
            },
          }),
      });
      const session = http2Session(server.url);
      const headers = { ":path": "/satchel.v1.StreamService/GetStreamVersion", "content-type": "application/grpc" };
      const { trailers } = await http2Request(session, headers, envelope(new Uint8Array()));
      expect(trailers).toMatchObject({ "grpc-status": "0" });
      const closed = once(session, "close");
      session.close();
      await closed;
      expect(signals.map(({ aborted }) => aborted)).toEqual([fires]);
    }
  });

  /** Both run what a handler has for its end. An error is one more object, with its stack, for every reader who leaves. */
  test("ends the stream of a reader who has left by return, and not by throw", async () => {
    await using pair = await startPair({}, () => []);
    const call: CallOptions = {
      rpc: "stream",
      contentType: "application/grpc",
      script: "send 10;wait;send 10;sleep 1",
    };
    for (const [side, ending] of [
      [pair.lean, "returned"],
      [pair.connect, "thrown"],
    ] as const) {
      await side.send("left", rawRequest({ ...call, cancel: "answered" }));
      await expect.poll(() => side.endings.get("left")).toBe(ending);
    }
  });
});

/** Whether a server stream has an answer while its request goes on; waits until it has one. */
async function answersEarly({ server }: Side): Promise<boolean> {
  const session = http2Session(server.url);
  await once(session, "connect");
  const { headers, chunks } = rawRequest({ rpc: "stream", contentType: "application/grpc", script: "" });
  const stream = session.request({ ":authority": "satchel.test", ...headers }, { endStream: false });
  let answered = false;
  stream.once("response", () => void (answered = true));
  const closed = new Promise((resolve) => stream.on("close", resolve));
  stream.on("error", () => undefined);
  stream.resume();
  for (const chunk of chunks) stream.write(chunk);
  for (let pings = 0; pings < 20; pings += 1) await promisify(session.ping.bind(session))();
  const early = answered;
  stream.end();
  await closed;
  expect(answered).toBe(true);
  session.destroy();
  return early;
}
