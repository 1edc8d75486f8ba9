import { type Client, createClient, type Interceptor } from "@connectrpc/connect";
import { createGrpcTransport, Http2SessionManager } from "@connectrpc/connect-node";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import pg from "pg";
import { type App, createApp } from "../../src/app.ts";
import { readConfig } from "../../src/config/config.ts";
import { NamespaceService } from "../../src/gen/satchel/v1/namespaces_pb.ts";
import { StreamService } from "../../src/gen/satchel/v1/streams_pb.ts";

export type StreamClient = Client<typeof StreamService>;

/** A client with a connection of its own, which it can lose. */
export interface Line extends Disposable {
  readonly streams: StreamClient;
  disconnect(): void;
}

/** Where a storm takes place: replicas of one store. */
export interface Site extends AsyncDisposable {
  readonly engine: "sqlite" | "postgresql";
  /** How many replicas there are. */
  readonly replicas: number;
  namespace(id: string): Promise<StormNamespace>;
}

/** A namespace for one storm. */
export interface StormNamespace {
  /** Connects to one of the replicas; `windowBytes` is what the client takes before it reads. */
  connect(replica: number, windowBytes?: number): Line;
  /** A plain SQL client whose search_path is the namespace; only on PostgreSQL. */
  sql(): Promise<pg.Client>;
}

const ROOT_TOKEN = "root-token-of-a-storm";
/** Small, so that followers fall out of it. */
const FEED = { window: { maxMessages: 20, maxBytes: 64 * 1024 }, pollIntervalMs: 200, checkpointMs: 200 };
const WINDOW_BYTES = 64 * 1024;

/** Starts one replica on SQLite, or two on an empty database. */
export async function openSite(databaseUrl?: string): Promise<Site> {
  await using opening = new AsyncDisposableStack();
  const directory = await mkdtemp(join(tmpdir(), "satchel-storm-"));
  opening.defer(() => rm(directory, { recursive: true, force: true }));
  const apps: App[] = [];
  for (let replica = 0; replica < (databaseUrl === undefined ? 1 : 2); replica++) {
    const config = readConfig({
      SATCHEL_PORT: "0",
      SATCHEL_DATA_DIR: directory,
      SATCHEL_LOG_LEVEL: "warn",
      SATCHEL_ROOT_TOKEN: ROOT_TOKEN,
      SATCHEL_SHUTDOWN_GRACE_MS: "100",
      DATABASE_URL: databaseUrl,
    });
    apps.push(opening.use(await createApp(config, { tuning: { streams: { feed: FEED } } })));
  }
  const open = opening.move();
  const connect = (replica: number, token: string, windowBytes = WINDOW_BYTES): Line & { transport: GrpcTransport } => {
    const baseUrl = apps[replica]?.url ?? "";
    const sessionManager = new Http2SessionManager(baseUrl, {}, { settings: { initialWindowSize: windowBytes } });
    const transport = createGrpcTransport({ baseUrl, sessionManager, interceptors: [holding(token)] });
    const disconnect = (): void => sessionManager.abort();
    return { transport, streams: createClient(StreamService, transport), disconnect, [Symbol.dispose]: disconnect };
  };
  return {
    engine: databaseUrl === undefined ? "sqlite" : "postgresql",
    replicas: apps.length,
    async namespace(namespaceId) {
      using operator = connect(0, ROOT_TOKEN);
      const { token } = await createClient(NamespaceService, operator.transport).createNamespace({ namespaceId });
      return {
        connect: (replica, windowBytes) => connect(replica, token, windowBytes),
        sql: async () => {
          const client = new pg.Client({ connectionString: databaseUrl });
          await client.connect();
          await client.query(`SET search_path TO "ns_${namespaceId}"`);
          return client;
        },
      };
    },
    [Symbol.asyncDispose]: () => open.disposeAsync(),
  };
}

type GrpcTransport = ReturnType<typeof createGrpcTransport>;

function holding(token: string): Interceptor {
  return (next) => (request) => {
    request.header.set("authorization", `Bearer ${token}`);
    return next(request);
  };
}
