import type { DescService } from "@bufbuild/protobuf";
import { type Client, createClient, type Transport } from "@connectrpc/connect";
import { namespacesArea } from "../../src/areas/namespaces/area.ts";
import { streamsArea } from "../../src/areas/streams/area.ts";
import type { ReadFrame } from "../../src/areas/streams/domain/read-messages.ts";
import type { FeedOptions } from "../../src/areas/streams/feed/feed.ts";
import type { MessageReader } from "../../src/areas/streams/read.ts";
import { Sweeper } from "../../src/areas/streams/retention/retention-sweeper.ts";
import { readConfig } from "../../src/config/config.ts";
import { DEFAULT_LIMITS } from "../../src/config/limits.ts";
import { Role } from "../../src/gen/satchel/options/v1/access_pb.ts";
import { ConsumerGroupService } from "../../src/gen/satchel/v1/consumer_groups_pb.ts";
import { NamespaceService } from "../../src/gen/satchel/v1/namespaces_pb.ts";
import { ServerService } from "../../src/gen/satchel/v1/server_pb.ts";
import { StreamService } from "../../src/gen/satchel/v1/streams_pb.ts";
import { type Clock, systemClock } from "../../src/kernel/clock.ts";
import { type Limits } from "../../src/kernel/limits.ts";
import { createLogger } from "../../src/kernel/log.ts";
import type { Fault } from "../../src/kernel/rpc/interceptors/errors.ts";
import type { Store } from "../../src/kernel/store/store.ts";
import { IN_MEMORY } from "../../src/open-store.ts";
import { connectAt, type Distance } from "./distances.ts";
import { type EngineName, openEngine, type TestEngine } from "./engines.ts";
import { type RecordedCalls, recording } from "./recorded-calls.ts";

export type StreamClient = Client<typeof StreamService>;
export type GroupClient = Client<typeof ConsumerGroupService>;
export type NamespaceClient = Client<typeof NamespaceService>;

/** A namespace of its own for one test. */
export interface TestNamespace {
  readonly id: string;
  readonly token: string;
  /** Calls with the namespace's first token. */
  readonly streams: StreamClient;
  readonly consumerGroups: GroupClient;
}

/** A server and clients for it. */
export interface Harness extends AsyncDisposable {
  readonly engine: TestEngine;
  readonly store: Store;
  readonly limits: Limits;
  /** Where the server listens; unset without a network. */
  readonly url: string | undefined;
  readonly rootToken: string;
  /** Calls with the root token. */
  readonly operator: NamespaceClient;
  /** What went wrong inside; a test that expects a fault takes it out. */
  readonly faults: Fault[];
  /** The calls that were made. */
  readonly calls: RecordedCalls;
  /** Moves the clock by which tokens expire and messages are too old; messages get the time of the store. */
  readonly passTime: (micros: bigint) => void;
  /** How far the clock has been moved. */
  readonly passed: () => bigint;
  /** Removes what no policy keeps; returns how many messages, of all namespaces. */
  readonly sweep: () => Promise<number>;
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
  /** A new token of a namespace. */
  readonly tokenOf: (namespaceId: string, role: Role) => Promise<string>;
  /** A client with a new token of a namespace. */
  readonly streamsAs: (namespaceId: string, role: Role) => Promise<StreamClient>;
}

export interface HarnessOptions {
  readonly engine: EngineName;
  readonly distance?: Distance;
  readonly limits?: Partial<Limits>;
  readonly feed?: FeedOptions;
  /** Sees every frame that the RPC layer takes of a read. */
  readonly onFrame?: (frame: ReadFrame) => void;
}

/** Small enough that tests exceed it. */
const QUEUE = {
  maxMessages: 1_000,
  maxBytes: 1024 * 1024,
  maxCategories: 100,
  lockTimeoutMs: 2_000,
  maxLockWaiters: 4,
};

/** Few enough for a test to reach. */
const MAX_RETENTION_POLICIES = 20;

/** So few that a sweep takes many steps. */
const SWEEP_BATCH = 7;

/** Longer than any test. */
const NEVER_MS = 86_400_000;

/** A window so small that followers fall behind it, and short delays. */
const FEED = { window: { maxMessages: 50, maxBytes: 1024 * 1024 }, pollIntervalMs: 200, checkpointMs: 200 };

/** Starts a server. */
export async function openHarness({
  engine: name,
  distance = "direct",
  limits: given = {},
  feed: feedOptions = FEED,
  onFrame,
}: HarnessOptions): Promise<Harness> {
  const limits: Limits = { ...DEFAULT_LIMITS, maxRetentionPolicies: MAX_RETENTION_POLICIES, ...given };
  const engine = await openEngine(name);
  const faults: Fault[] = [];
  const now = systemClock();
  let passed = 0n;
  const clock: Clock = () => now() + passed;
  const log = createLogger("silent");
  const config = { ...readConfig({ SATCHEL_DATA_DIR: IN_MEMORY, SATCHEL_PORT: "0" }), limits, shutdownGraceMs: 100 };
  const tuning = {
    streams: { appends: QUEUE, feed: feedOptions },
    groups: { tickMs: 200 },
    sessions: { sweepIntervalMs: NEVER_MS },
  };
  const report = (fault: Fault): void => void faults.push(fault);
  const line = await connectAt(
    distance,
    { ...config, retentionIntervalSeconds: NEVER_MS / 1_000 },
    {
      ...{ engine: engine.engine, clock, log, report, tuning },
    },
  );
  const { store } = line;
  const recorded = recording(line.transport);
  const { rootToken = "" } = line.use(namespacesArea).made;
  if (onFrame !== undefined) watchFrames(line.use(streamsArea).reader, onFrame);
  let removed = 0;
  // One without an interval: what it has just seen to, it sees to again.
  const sweeper = new Sweeper({
    store,
    clock,
    intervalMs: 0,
    batch: SWEEP_BATCH,
    pauseMs: 0,
    removed: (messages) => (removed += messages),
    failed: (error) => {
      throw error;
    },
  });

  const holding: Harness["holding"] = (service, authorization, metadata = {}) =>
    createClient(service, withHeaders(recorded.transport, { ...metadata, authorization }));
  const operator = holding(NamespaceService, `Bearer ${rootToken}`);
  const tokenOf = async (namespaceId: string, role: Role): Promise<string> =>
    (await operator.createToken({ namespaceId, role })).token;
  let count = 0;
  return {
    engine,
    store,
    limits,
    url: line.url,
    calls: recorded.calls,
    rootToken,
    operator,
    faults,
    passTime: (micros) => {
      passed += micros;
    },
    passed: () => passed,
    async sweep() {
      const before = removed;
      await sweeper.sweep();
      return removed - before;
    },
    anyone: (service) => createClient(service, recorded.transport),
    holding,
    async namespace() {
      const id = `test-${count++}`;
      const { token } = await operator.createNamespace({ namespaceId: id });
      const credential = `Bearer ${token}`;
      const [streams, consumerGroups] = [holding(StreamService, credential), holding(ConsumerGroupService, credential)];
      return { id, token, streams, consumerGroups };
    },
    tokenOf,
    async streamsAs(namespaceId, role) {
      return holding(StreamService, `Bearer ${await tokenOf(namespaceId, role)}`);
    },
    async [Symbol.asyncDispose]() {
      await sweeper[Symbol.asyncDispose]();
      await line[Symbol.asyncDispose]();
      await engine[Symbol.asyncDispose]();
    },
  };
}

export { ConsumerGroupService, NamespaceService, Role, ServerService, StreamService };

function watchFrames(reader: MessageReader, onFrame: (frame: ReadFrame) => void): void {
  const read = reader.read.bind(reader);
  reader.read = async function* (...call) {
    for await (const frame of read(...call)) {
      onFrame(frame);
      yield frame;
    }
  };
}

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
