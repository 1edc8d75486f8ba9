import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { setTimeout as delay } from "node:timers/promises";
import { AppendMessagesRequestSchema, ReadMessagesResponseSchema } from "../../src/gen/satchel/v1/streams_pb.ts";
import { RawFollowers } from "../../test/support/raw-followers.ts";
import type { ServerProcess } from "../../test/support/server-process.ts";
import { inCategory } from "../../test/support/streams.ts";
import { GrpcLoad } from "./grpc-load.ts";

/** The servers and the followers of a run. */
export interface LiveRunOptions {
  /** The replica that receives the appends. */
  readonly from: ServerProcess;
  /** The replica that is followed. */
  readonly to: ServerProcess;
  readonly token: string;
  readonly connections: number;
  /** The category of each follower; there are as many followers as entries. */
  readonly categories: readonly string[];
}

/** The result of one measurement. */
export interface LiveResult {
  /** Per second. */
  readonly appends: number;
  /** Per second. */
  readonly deliveries: number;
  /** Milliseconds from the call of an append to the arrival of its message. */
  readonly p50: number;
  readonly p99: number;
  /** CPU time of the followed replica per delivery; undefined where the system does not tell. */
  readonly cpuMicros: number | undefined;
}

const TICK_MS = 1;
const SETTLE_MS = 500;
/** Numbers the runs: each ignores the messages of other runs. */
let runs = 0;

/** Followers, and one client that appends at a steady rate without waiting for responses. */
export class LiveRun implements AsyncDisposable {
  readonly #options: LiveRunOptions;
  readonly #load: GrpcLoad;
  #followers: RawFollowers | undefined;
  readonly #run = ++runs;
  #sentMs: number[] = [];
  #latencies: number[] = [];

  static async open(options: LiveRunOptions): Promise<LiveRun> {
    const run = new LiveRun(options, await GrpcLoad.connect(options.from.url, options.token));
    const { to, token, connections, categories } = options;
    run.#followers = await RawFollowers.open({
      url: to.url,
      token,
      connections: Math.min(connections, categories.length),
      requests: categories.map((category) => ({
        selector: inCategory(category),
        start: { case: "end" as const, value: true },
      })),
      onFrame: (_, kind, bytes) => {
        if (kind === "messages") run.#arrived(bytes);
      },
    });
    return run;
  }

  constructor(options: LiveRunOptions, load: GrpcLoad) {
    this.#options = options;
    this.#load = load;
  }

  /** Appends to the categories in turn, `perSecond` messages a second in all, and returns what the followers received. */
  async measure(categories: readonly string[], perSecond: number, seconds: number): Promise<LiveResult> {
    this.#sentMs = [];
    this.#latencies = [];
    const { to } = this.#options;
    const cpuBefore = await to.cpuSeconds();
    const pending: Promise<unknown>[] = [];
    const start = performance.now();
    for (let sent = 0; sent < perSecond * seconds;) {
      const due = Math.min(perSecond * seconds, ((performance.now() - start) / 1_000) * perSecond);
      for (; sent < due; sent++) pending.push(this.#append(categories[sent % categories.length] ?? "", sent));
      await delay(TICK_MS);
    }
    const tookSeconds = (performance.now() - start) / 1_000;
    await Promise.all(pending);
    await delay(SETTLE_MS);
    const cpuAfter = await to.cpuSeconds();
    const latencies = this.#latencies.toSorted((a, b) => a - b);
    const cpu = cpuBefore === undefined || cpuAfter === undefined ? undefined : cpuAfter - cpuBefore;
    return {
      appends: pending.length / tookSeconds,
      deliveries: latencies.length / tookSeconds,
      p50: latencies[Math.floor(latencies.length * 0.5)] ?? Number.NaN,
      p99: latencies[Math.floor(latencies.length * 0.99)] ?? Number.NaN,
      cpuMicros: cpu === undefined ? undefined : (cpu * 1_000_000) / latencies.length,
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#followers?.[Symbol.dispose]();
    await this.#load[Symbol.asyncDispose]();
  }

  #arrived(bytes: Uint8Array): void {
    const now = performance.now();
    const { frame } = fromBinary(ReadMessagesResponseSchema, bytes);
    if (frame.case !== "messages") return;
    for (const { data = "{}" } of frame.value.messages) {
      const sent = JSON.parse(data) as { run: number; n: number };
      const sentMs = sent.run === this.#run ? this.#sentMs[sent.n] : undefined;
      if (sentMs !== undefined) this.#latencies.push(now - sentMs);
    }
  }

  #append(category: string, n: number): Promise<unknown> {
    const request = create(AppendMessagesRequestSchema, {
      streamName: `${category}-${n % 10}`,
      messages: [{ type: "SomethingHappened", data: JSON.stringify({ run: this.#run, n, text: "of some length" }) }],
    });
    this.#sentMs[n] = performance.now();
    return this.#load.call("satchel.v1.StreamService/AppendMessages", toBinary(AppendMessagesRequestSchema, request));
  }
}
