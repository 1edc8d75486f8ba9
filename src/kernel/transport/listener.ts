import { type Server as NetServer, type Socket, createServer } from "node:net";
import { type Server as TlsServer, type TlsOptions, type TLSSocket, createServer as createTlsServer } from "node:tls";
import { StartError } from "../start-error.ts";
import { type HttpVersion, sniff } from "./sniff.ts";

/** The contents of the files of TLS, PEM. */
export interface TlsFiles {
  readonly cert: Buffer;
  readonly key: Buffer;
  /** The authorities of client certificates; undefined: clients need none. */
  readonly clientCa: Buffer | undefined;
}

export interface ListenerOptions {
  readonly host: string;
  readonly port: number;
  readonly tls: TlsFiles | undefined;
  readonly maxConnections: number;
  /** The time for the TLS handshake, and again for the first bytes of HTTP. */
  readonly greetingTimeoutMs: number;
  /** Serves a connection. */
  readonly serve: (version: HttpVersion, socket: Socket) => void;
}

const TCP_KEEPALIVE_MS = 60_000;

/** The port for every protocol, and its connections. */
export class Listener {
  readonly #options: ListenerOptions;
  readonly #server: NetServer | TlsServer;
  readonly #sockets = new Set<Socket>();
  readonly #unidentified = new Set<Socket>();

  constructor(options: ListenerOptions) {
    this.#options = options;
    this.#server =
      options.tls === undefined ? createServer((socket) => this.#identify(socket)) : this.#secure(options.tls);
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

  /** The port that it listens on; port 0 lets the system choose one. */
  get port(): number {
    const address = this.#server.address();
    return typeof address === "object" && address !== null ? address.port : this.#options.port;
  }

  get connections(): number {
    return this.#sockets.size;
  }

  /** Accepts no more connections. Resolves when all are closed. */
  async close(): Promise<void> {
    for (const socket of this.#unidentified) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  /** Closes all connections at once. */
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
    return createTlsServer(options, (socket: TLSSocket) => this.#identify(socket));
  }

  #accept(socket: Socket): void {
    // With node's maxConnections, full workers would pass a connection to each other without end.
    if (this.#sockets.size >= this.#options.maxConnections) return void socket.destroy();
    this.#sockets.add(socket);
    socket.once("close", () => this.#sockets.delete(socket));
    socket.on("error", () => undefined);
    socket.setNoDelay(true);
    socket.setKeepAlive(true, TCP_KEEPALIVE_MS);
  }

  #identify(socket: Socket): void {
    const { serve, greetingTimeoutMs } = this.#options;
    this.#unidentified.add(socket);
    socket.on("error", () => undefined);
    socket.once("close", () => this.#unidentified.delete(socket));
    const decided = (version: HttpVersion): void => {
      this.#unidentified.delete(socket);
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
