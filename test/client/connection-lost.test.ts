import { createServer as createHttpServer, type RequestListener } from "node:http";
import { createServer as createHttp2Server, type ServerHttp2Session, type ServerHttp2Stream } from "node:http2";
import { type AddressInfo, createServer as createTcpServer, type Server, type Socket } from "node:net";
import { describe, expect, test } from "vitest";
import { createClient, type SatchelClient } from "../../clients/typescript/src/index.ts";
import { createClient as createWebClient } from "../../clients/typescript/src/web.ts";
import { collect } from "./fake-server.ts";

/** What can happen to a call on its way, made to happen; none of them is an answer of a Satchel server. */
const UNREACHABLE = { reason: "UNREACHABLE", code: "UNAVAILABLE" };

const HEADERS = { ":status": 200, "content-type": "application/grpc+proto" };
const EMPTY_FRAME = Buffer.from([0, 0, 0, 0, 0]);
const HALF_A_FRAME = Buffer.from([0, 0, 0, 0, 9, 1]);
const NGHTTP2 = { INTERNAL_ERROR: 2, REFUSED_STREAM: 7, CANCEL: 8 };

const GRPC_ACCIDENTS: Readonly<Record<string, (stream: ServerHttp2Stream) => void>> = {
  "the connection goes before the answer": (stream) => stream.session?.destroy(),
  "the connection goes after the headers": (stream) => {
    stream.respond(HEADERS);
    setTimeout(() => stream.session?.destroy(), 20);
  },
  "the connection goes after a frame": (stream) => {
    stream.respond(HEADERS);
    stream.write(EMPTY_FRAME);
    setTimeout(() => stream.session?.destroy(), 20);
  },
  "the answer ends without a status": (stream) => {
    stream.respond(HEADERS);
    stream.end(EMPTY_FRAME);
  },
  "the answer ends within a frame": (stream) => {
    stream.respond(HEADERS);
    stream.end(HALF_A_FRAME);
  },
  "the stream is cancelled": (stream) => stream.close(NGHTTP2.CANCEL),
  "the stream is cancelled after the headers": (stream) => {
    stream.respond(HEADERS);
    setTimeout(() => stream.close(NGHTTP2.CANCEL), 20);
  },
  "the stream is refused": (stream) => stream.close(NGHTTP2.REFUSED_STREAM),
  "the stream fails": (stream) => stream.close(NGHTTP2.INTERNAL_ERROR),
  "the session ends with an error": (stream) => stream.session?.goaway(NGHTTP2.INTERNAL_ERROR),
  "a proxy answers 502": (stream) => {
    stream.respond({ ":status": 502, "content-type": "text/html" });
    stream.end("<h1>Bad Gateway");
  },
  "a proxy answers 503": (stream) => stream.respond({ ":status": 503 }, { endStream: true }),
};

const TCP_ACCIDENTS: Readonly<Record<string, (socket: Socket) => void>> = {
  "the socket is closed at once": (socket) => socket.destroy(),
  "the socket is reset": (socket) => void setTimeout(() => socket.resetAndDestroy(), 20),
};

const FETCH_ACCIDENTS: Readonly<Record<string, (contentType: string) => RequestListener>> = {
  "the socket goes before the answer": () => (request) => request.socket.destroy(),
  "the socket goes within the answer": (contentType) => (request, response) => {
    response.writeHead(200, { "content-type": contentType });
    response.write(HALF_A_FRAME);
    setTimeout(() => request.socket.destroy(), 20);
  },
  "the answer has no end": (contentType) => (_request, response) => {
    response.writeHead(200, { "content-type": contentType });
    response.end();
  },
  "a proxy answers 503": () => (_request, response) => {
    response.writeHead(503, { "content-type": "text/html" });
    response.end("<h1>Service Unavailable");
  },
};

const ONE_TRY = { retry: false, timeoutMs: 5_000 } as const;

describe.for(Object.entries(GRPC_ACCIDENTS))("gRPC: %s", ([, accident]) => {
  test("a call and a read are UNREACHABLE", async () => {
    const sessions = new Set<ServerHttp2Session>();
    const server = createHttp2Server();
    server.on("session", (session) => sessions.add(session.on("error", () => {})));
    server.on("stream", (stream) => accident(stream.on("error", () => {})));
    await using url = await listen(server, () => sessions.forEach((session) => session.destroy()));
    using client = createClient({ baseUrl: url.href, ...ONE_TRY });
    await expectUnreachable(client);
  });
});

describe.for(Object.entries(TCP_ACCIDENTS))("gRPC: %s", ([, accident]) => {
  test("a call and a read are UNREACHABLE", async () => {
    const server = createTcpServer((socket) => accident(socket.on("error", () => {})));
    await using url = await listen(server);
    using client = createClient({ baseUrl: url.href, ...ONE_TRY });
    await expectUnreachable(client);
  });
});

describe.for(["connect", "grpc-web"] as const)("%s", (protocol) => {
  const types =
    protocol === "connect"
      ? { unary: "application/json", stream: "application/connect+json" }
      : { unary: "application/grpc-web+proto", stream: "application/grpc-web+proto" };

  test.for(Object.entries(FETCH_ACCIDENTS))("%s", async ([name, accident]) => {
    const server = createHttpServer((request, response) => {
      const stream = request.url?.endsWith("/ReadMessages") === true;
      accident(stream ? types.stream : types.unary)(request, response);
    });
    await using url = await listen(server, () => server.closeAllConnections());
    const client = createWebClient({ baseUrl: url.href, protocol, ...ONE_TRY });
    // JSON that ends too early is no JSON; only Connect's unary calls have no envelope that would tell.
    const blind = protocol === "connect" && name === "the answer has no end";
    if (!blind) await expect(client.streams.version("a-1")).rejects.toMatchObject(UNREACHABLE);
    await expect(collect(client.streams.read({ all: true }))).rejects.toMatchObject(UNREACHABLE);
  });

  test("nobody listens", async () => {
    await expectUnreachable(createWebClient({ baseUrl: await unusedUrl(), protocol, ...ONE_TRY }));
  });
});

test("gRPC: nobody listens", async () => {
  using client = createClient({ baseUrl: await unusedUrl(), ...ONE_TRY });
  await expectUnreachable(client);
});

test("gRPC: there is no such host", async () => {
  using client = createClient({ baseUrl: "http://satchel.invalid:4600", ...ONE_TRY });
  await expectUnreachable(client);
});

test("gRPC: a server that never answers costs the deadline, no more", async () => {
  await using url = await listen(createTcpServer((socket) => socket.on("error", () => {})));
  using client = createClient({ baseUrl: url.href, timeoutMs: 300 });
  await expect(client.streams.version("a-1")).rejects.toMatchObject({ reason: "DEADLINE_EXCEEDED" });
});

async function expectUnreachable(client: SatchelClient): Promise<void> {
  await expect(client.streams.version("a-1")).rejects.toMatchObject(UNREACHABLE);
  await expect(collect(client.streams.read({ all: true }))).rejects.toMatchObject(UNREACHABLE);
}

interface Listening extends AsyncDisposable {
  readonly href: string;
}

async function listen(server: Server, disconnect: () => void = () => {}): Promise<Listening> {
  const sockets = new Set<Socket>();
  server.on("connection", (socket: Socket) => sockets.add(socket));
  await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve));
  return {
    href: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async [Symbol.asyncDispose]() {
      disconnect();
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

async function unusedUrl(): Promise<string> {
  await using listening = await listen(createTcpServer());
  return listening.href;
}
