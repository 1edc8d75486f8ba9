import { type Client, createClient, type Interceptor } from "@connectrpc/connect";
import { createGrpcTransport, Http2SessionManager } from "@connectrpc/connect-node";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { ConsumerGroupService } from "../../../src/gen/satchel/v1/consumer_groups_pb.ts";
import { NamespaceService } from "../../../src/gen/satchel/v1/namespaces_pb.ts";
import { StreamService } from "../../../src/gen/satchel/v1/streams_pb.ts";
import { type ServerProcess, startServer } from "../../support/server-process.ts";

/** A client with a connection of its own, which it can lose. */
export interface GroupLine extends Disposable {
  readonly groups: Client<typeof ConsumerGroupService>;
  readonly streams: Client<typeof StreamService>;
  disconnect(): void;
}

const ROOT_TOKEN = "root-token-of-a-group-storm";
const MAX_DOWN_MS = 1_500;

/** Replicas of one store, each a process on a port that it keeps when it is started again. */
export class Replicas implements AsyncDisposable {
  readonly engine: "sqlite" | "postgresql";
  readonly #directories: readonly string[];
  readonly #databaseUrl: string | undefined;
  readonly #servers: ServerProcess[] = [];

  /** Three on an empty database, or one on SQLite. */
  static async start(databaseUrl?: string): Promise<Replicas> {
    const directories = await Promise.all(
      Array.from({ length: databaseUrl === undefined ? 1 : 3 }, () => mkdtemp(join(tmpdir(), "satchel-groups-"))),
    );
    const replicas = new Replicas(directories, databaseUrl);
    for (let replica = 0; replica < directories.length; replica++) await replicas.#start(replica, 0);
    return replicas;
  }

  constructor(directories: readonly string[], databaseUrl: string | undefined) {
    this.engine = databaseUrl === undefined ? "sqlite" : "postgresql";
    this.#directories = directories;
    this.#databaseUrl = databaseUrl;
  }

  get count(): number {
    return this.#directories.length;
  }

  url(replica: number): string {
    return this.#servers[replica]?.url ?? "";
  }

  /** SIGKILL, and a new start after a while; `killed` is called in between. */
  async killAndRestart(replica: number, downMs: number, killed: () => void): Promise<void> {
    const server = this.#servers[replica];
    if (server === undefined) throw new Error("there is no such replica");
    const killing = server.kill();
    killed();
    await killing;
    await delay(Math.min(downMs, MAX_DOWN_MS));
    await this.#start(replica, server.port);
  }

  /** Makes a namespace; returns its token. */
  async namespace(namespaceId: string): Promise<string> {
    const interceptors = [holding(ROOT_TOKEN)];
    const transport = createGrpcTransport({ baseUrl: this.url(0), interceptors });
    return (await createClient(NamespaceService, transport).createNamespace({ namespaceId })).token;
  }

  connect(replica: number, token: string): GroupLine {
    const baseUrl = this.url(replica);
    const sessionManager = new Http2SessionManager(baseUrl);
    const transport = createGrpcTransport({ baseUrl, sessionManager, interceptors: [holding(token)] });
    const disconnect = (): void => sessionManager.abort();
    return {
      groups: createClient(ConsumerGroupService, transport),
      streams: createClient(StreamService, transport),
      disconnect,
      [Symbol.dispose]: disconnect,
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#servers.map((server) => server[Symbol.asyncDispose]()));
    await Promise.all(this.#directories.map((directory) => rm(directory, { recursive: true, force: true })));
  }

  async #start(replica: number, port: number): Promise<void> {
    this.#servers[replica] = await startServer({
      databaseUrl: this.#databaseUrl,
      directory: this.#directories[replica],
      env: { SATCHEL_PORT: String(port), SATCHEL_ROOT_TOKEN: ROOT_TOKEN, SATCHEL_SHUTDOWN_GRACE_MS: "500" },
    });
  }
}

function holding(token: string): Interceptor {
  return (next) => (request) => {
    request.header.set("authorization", `Bearer ${token}`);
    return next(request);
  };
}
