import { connectNodeAdapter } from "@connectrpc/connect-node";
import { createServer as createHttpServer } from "node:http";
import { createServer as createHttp2Server } from "node:http2";
import type { AddressInfo, Server, Socket } from "node:net";
import { expect, test } from "vitest";
import { createClient } from "../../clients/typescript/src/index.ts";
import { createClient as createWebClient } from "../../clients/typescript/src/web.ts";
import { FakeGroupServer } from "./fake-group-server.ts";
import { HeldHandler } from "./held-handler.ts";

const poll = (value: () => unknown) => expect.poll(value, { interval: 1, timeout: 10_000 });

test.for(["grpc", "connect", "grpc-web"] as const)(
  "over %s: joins again when the connection is lost, and leaves when it is stopped",
  async (protocol) => {
    const server = new FakeGroupServer();
    const adapter = connectNodeAdapter({ routes: server.routes });
    await using listening = await listen(protocol === "grpc" ? createHttp2Server(adapter) : createHttpServer(adapter));
    const { baseUrl, sockets } = listening;
    using client = protocol === "grpc" ? createClient({ baseUrl }) : createWebClient({ baseUrl, protocol });
    const handler = new HeldHandler();
    const run = server.run({ handler: handler.handle, concurrency: 1 }, client);
    (await server.member()).join().deliver({ position: 1 }, { position: 2 });
    const lost = await handler.nth(1);
    for (const socket of sockets) socket.destroy();
    await poll(() => lost.context.signal.aborted).toBe(true);
    lost.finish();
    (await server.member(2)).join(2).deliver({ position: 2, epoch: 2, attempt: 2 }, { position: 3, epoch: 2 });
    const kept = await handler.nth(2);
    expect(kept).toMatchObject({ position: 2, context: { attempt: 2, epoch: 2n } });
    const stopped = run.stop();
    kept.finish();
    await stopped;
    expect(server.acknowledged(2)).toEqual([2]);
    expect(handler.positions).toEqual([1, 2]);
    await poll(() => server.memberships.map(({ left }) => left)).toEqual([true, true]);
  },
);

interface Listening extends AsyncDisposable {
  readonly baseUrl: string;
  readonly sockets: ReadonlySet<Socket>;
}

async function listen(server: Server): Promise<Listening> {
  const sockets = new Set<Socket>();
  server.on("connection", (socket: Socket) => {
    sockets.add(socket);
    socket.once("close", () => sockets.delete(socket));
  });
  await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve));
  return {
    baseUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    sockets,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
