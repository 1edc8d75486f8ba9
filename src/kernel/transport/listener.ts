import { type Server as NetServer, type Socket, createServer } from "node:net";
import { type Server as TlsServer, type TlsOptions, type TLSSocket, createServer as createTlsServer } from "node:tls";
import { StartError } from "../start-error.ts";
import { type HttpVersion, sniff } from "./sniff.ts";

/** The files of TLS, PEM. */
export interface TlsFiles {
  readonly cert: Buffer;
  readonly key: Buffer;
  /** Whoever has no certificate of these authorities is refused. */
  readonly clientCa: Buffer | undefined;
}

export interface ListenerOptions {
  readonly host: string;
  readonly port: number;
  readonly tls: TlsFiles | undefined;
  readonly maxConnections: number;
  /** How long a new connection may take to shake hands, and again to say which protocol it speaks. */
  readonly greetingTimeoutMs: number;
  /** Takes a connection over. */
  readonly serve: (version: HttpVersion, socket: Socket) => void;
}

const TCP_KEEPALIVE_MS = 60_000;

/** The one port, for every protocol, and all of its connections. */
export class Listener {
  readonly #options: ListenerOptions;
  readonly #server: NetServer | TlsServer;
  readonly #sockets = new Set<Socket>();
  readonly #greeting = new Set<Socket>();

  constructor(options: ListenerOptions) {
    this.#options = options;
    this.#server =
      options.tls === undefined ? createServer((socket) => this.#greet(socket)) : this.#secure(options.tls);
    this.#server.on("connection", (socket: Socket) => this.#accept(socket));
  }

  /** Throws StartError when the address cannot be listened on. */
  async listen(): Promise<void> {
    const { host, port } = this.#options;
    await new Promise<void>((resolve, reject) => {
      this.#server.once("error", (error: NodeJS.ErrnoException) =>
        reject(new StartError(listenProblem(host, port, error), { cause: error })),
      );
      this.#server.listen({ host, port }, resolve);
    });
  }

  /** The port, also when 0 was asked for. */
  get port(): number {
    const address = this.#server.address();
    return typeof address === "object" && address !== null ? address.port : this.#options.port;
  }

  get connections(): number {
    return this.#sockets.size;
  }

  /** Accepts nobody else, and resolves when everybody has gone. */
  async close(): Promise<void> {
    for (const socket of this.#greeting) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  /** Hangs up on everybody. */
  destroy(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  #secure({ cert, key, clientCa }: TlsFiles): TlsServer {
    const options: TlsOptions = {
      cert,
      key,
      ALPNProtocols: ["h2", "http/1.1"],
      minVersion: "TLSv1.2",
      handshakeTimeout: this.#options.greetingTimeoutMs,
    };
    if (clientCa !== undefined) Object.assign(options, { ca: clientCa, requestCert: true, rejectUnauthorized: true });
    return createTlsServer(options, (socket: TLSSocket) => this.#greet(socket));
  }

  #accept(socket: Socket): void {
    // By node's own maxConnections, workers that are full would hand a connection on to one another for ever.
    if (this.#sockets.size >= this.#options.maxConnections) return void socket.destroy();
    this.#sockets.add(socket);
    socket.once("close", () => this.#sockets.delete(socket));
    socket.on("error", () => undefined);
    socket.setNoDelay(true);
    socket.setKeepAlive(true, TCP_KEEPALIVE_MS);
  }

  #greet(socket: Socket): void {
    const { serve, greetingTimeoutMs } = this.#options;
    this.#greeting.add(socket);
    socket.on("error", () => undefined);
    socket.once("close", () => this.#greeting.delete(socket));
    const decided = (version: HttpVersion): void => {
      this.#greeting.delete(socket);
      serve(version, socket);
    };
    if ("alpnProtocol" in socket && socket.alpnProtocol === "h2") decided("2");
    else sniff(socket, greetingTimeoutMs, decided);
  }
}

function listenProblem(host: string, port: number, error: NodeJS.ErrnoException): string {
  const address = `${host}:${port}`;
  switch (error.code) {
    case "EADDRINUSE":
      return `cannot listen on ${address}: the port is in use; choose another with SATCHEL_PORT`;
    case "EACCES":
      return `cannot listen on ${address}: not permitted; choose another port with SATCHEL_PORT`;
    case "EADDRNOTAVAIL":
    case "ENOTFOUND":
      return `cannot listen on ${address}: this machine has no such address; choose another with SATCHEL_HOST`;
    default:
      return `cannot listen on ${address}: ${error.message}`;
  }
}
