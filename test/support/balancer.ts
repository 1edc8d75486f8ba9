import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";

/** One address for several servers: each new connection goes to one that takes it, the next in turn. */
export interface Balancer extends AsyncDisposable {
  readonly url: string;
  /** How many connections have gone to each server. */
  readonly taken: ReadonlyMap<number, number>;
}

/** Listens on a free port of 127.0.0.1 for the servers on these ports of it. */
export async function openBalancer(ports: readonly number[]): Promise<Balancer> {
  const taken = new Map(ports.map((port) => [port, 0]));
  const open = new Set<Socket>();
  let turn = 0;
  const server = createServer((client) => {
    open.add(client);
    client.once("close", () => open.delete(client));
    client.on("error", () => undefined);
    void forward(client);
  });
  const forward = async (client: Socket): Promise<void> => {
    for (let tried = 0; tried < ports.length; tried++) {
      const port = ports[turn++ % ports.length] ?? 0;
      const upstream = connect(port, "127.0.0.1");
      const [event] = await Promise.race([
        once(upstream, "connect").then(() => ["connect"]),
        once(upstream, "close").then(() => ["close"]),
      ]).catch(() => ["error"]);
      upstream.on("error", () => undefined);
      if (event !== "connect") continue;
      taken.set(port, (taken.get(port) ?? 0) + 1);
      client.pipe(upstream).pipe(client);
      client.once("close", () => upstream.destroy());
      upstream.once("close", () => client.destroy());
      return;
    }
    client.destroy();
  };
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    taken,
    async [Symbol.asyncDispose]() {
      for (const socket of open) socket.destroy();
      server.close();
      await once(server, "close");
    },
  };
}
