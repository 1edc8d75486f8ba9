import type { DescService } from "@bufbuild/protobuf";
import { type Client, createClient, type Transport } from "@connectrpc/connect";
import { type Clock, systemClock } from "../../src/domain/clock.ts";
import { DEFAULT_LIMITS, type Limits } from "../../src/domain/limits.ts";
import { Feed } from "../../src/feed/feed.ts";
import { Role } from "../../src/gen/satchel/options/v1/access_pb.ts";
import { NamespaceService } from "../../src/gen/satchel/v1/namespaces_pb.ts";
import { ServerService } from "../../src/gen/satchel/v1/server_pb.ts";
import { StreamService } from "../../src/gen/satchel/v1/streams_pb.ts";
import type { Fault } from "../../src/rpc/interceptors/errors.ts";
import { bootstrap } from "../../src/service/bootstrap.ts";
import { createServices } from "../../src/service/services.ts";
import { Store } from "../../src/store/store.ts";
import { connectAt, type Distance } from "./distances.ts";
import { type EngineName, openEngine, type TestEngine } from "./engines.ts";

export type StreamClient = Client<typeof StreamService>;
export type NamespaceClient = Client<typeof NamespaceService>;

/** A namespace of its own for one test. */
export interface TestNamespace {
  readonly id: string;
  readonly token: string;
  /** Calls with the namespace's first token. */
  readonly streams: StreamClient;
}

/** A server and clients for it. */
export interface Harness extends AsyncDisposable {
  readonly engine: TestEngine;
  readonly store: Store;
  readonly limits: Limits;
  readonly rootToken: string;
  /** Calls with the root token. */
  readonly operator: NamespaceClient;
  /** What went wrong inside; a test that expects a fault takes it out. */
  readonly faults: Fault[];
  /** Moves the clock by which tokens expire; messages get the time of the store. */
  readonly passTime: (micros: bigint) => void;
  /** A client without a credential. */
  readonly anyone: <S extends DescService>(service: S) => Client<S>;
  /** A client with a credential: the value of the authorization header. */
  readonly holding: <S extends DescService>(
    service: S,
    authorization: string,
    metadata?: Readonly<Record<string, string>>,
  ) => Client<S>;
  /** A new namespace. */
  readonly namespace: () => Promise<TestNamespace>;
  /** A client with a new token of a namespace. */
  readonly streamsAs: (namespaceId: string, role: Role) => Promise<StreamClient>;
}

export interface HarnessOptions {
  readonly engine: EngineName;
  readonly distance?: Distance;
  readonly limits?: Partial<Limits>;
}

/** Small enough that tests exceed it. */
const QUEUE = {
  maxMessages: 1_000,
  maxBytes: 1024 * 1024,
  maxCategories: 100,
  lockTimeoutMs: 2_000,
  maxLockWaiters: 4,
};

/** A window that followers fall out of, and polls that are soon. */
const FEED = { window: { maxMessages: 50, maxBytes: 1024 * 1024 }, pollIntervalMs: 200 };

/** Starts a server. */
export async function openHarness({
  engine: name,
  distance = "direct",
  limits: given = {},
}: HarnessOptions): Promise<Harness> {
  const limits: Limits = { ...DEFAULT_LIMITS, ...given };
  const engine = await openEngine(name);
  const store = new Store(engine.dialect, { ...QUEUE, maxQueued: limits.maxQueuedAppends });
  const faults: Fault[] = [];
  const now = systemClock();
  let passed = 0n;
  const clock: Clock = () => now() + passed;
  const { rootToken = "" } = await bootstrap(store, { clock });
  const feed = new Feed(store, FEED);
  store.watch((...appended) => feed.wake(...appended));
  const services = createServices({ store, feed, limits, version: "0.0.0-test", clock });
  const line = await connectAt(distance, { services, limits, log: (fault) => faults.push(fault) });

  const holding: Harness["holding"] = (service, authorization, metadata = {}) =>
    createClient(service, withHeaders(line.transport, { ...metadata, authorization }));
  const operator = holding(NamespaceService, `Bearer ${rootToken}`);
  let count = 0;

  return {
    engine,
    store,
    limits,
    rootToken,
    operator,
    faults,
    passTime: (micros) => {
      passed += micros;
    },
    anyone: (service) => createClient(service, line.transport),
    holding,
    async namespace() {
      const id = `test-${count++}`;
      const { token } = await operator.createNamespace({ namespaceId: id });
      return { id, token, streams: holding(StreamService, `Bearer ${token}`) };
    },
    async streamsAs(namespaceId, role) {
      const { token } = await operator.createToken({ namespaceId, role });
      return holding(StreamService, `Bearer ${token}`);
    },
    async [Symbol.asyncDispose]() {
      await line[Symbol.asyncDispose]();
      await feed[Symbol.asyncDispose]();
      await engine[Symbol.asyncDispose]();
    },
  };
}

export { NamespaceService, Role, ServerService, StreamService };

function withHeaders(transport: Transport, added: Readonly<Record<string, string>>): Transport {
  const headers = (given: HeadersInit | undefined): Headers => {
    const all = new Headers(given);
    for (const [name, value] of Object.entries(added)) all.set(name, value);
    return all;
  };
  return {
    unary: (method, signal, timeoutMs, header, input, values) =>
      transport.unary(method, signal, timeoutMs, headers(header), input, values),
    stream: (method, signal, timeoutMs, header, input, values) =>
      transport.stream(method, signal, timeoutMs, headers(header), input, values),
  };
}
