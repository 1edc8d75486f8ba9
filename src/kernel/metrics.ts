import {
  AggregatorRegistry,
  Counter,
  Gauge,
  type Aggregator,
  Histogram,
  Registry,
  collectDefaultMetrics,
} from "prom-client";
import type { Logger } from "./log.ts";

/** From half a millisecond to the longest call. */
const DURATION_BUCKETS_S = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60];

/** A call as metrics see it; every label has few values. */
export interface CallLabels {
  /** `package.Service/Method`, or "unknown". */
  readonly method: string;
  /** `grpc`, `grpc-web` or `connect`. */
  readonly protocol: string;
}

/** What a process has counted, as another one can receive it. */
export type MetricsSnapshot = Awaited<ReturnType<Registry["getMetricsAsJSON"]>>;

/** What a process counts, as Prometheus reads it; names as in OpenTelemetry's conventions for RPC. */
export class Metrics {
  readonly #registry = new Registry();
  readonly #log: Logger;
  readonly #ofAll: (() => Promise<string>) | undefined;
  readonly #duration = new Histogram({
    name: "rpc_server_call_duration_seconds",
    help: "How long calls took, from their headers to their end.",
    labelNames: ["rpc_method", "rpc_system_name", "rpc_response_status_code"],
    buckets: DURATION_BUCKETS_S,
    registers: [this.#registry],
  });
  readonly #connections = new Counter({
    name: "satchel_connections_total",
    help: "Connections that were accepted.",
    labelNames: ["http"],
    registers: [this.#registry],
  });

  /** `ofAll`: what is read here is that of several processes, this one among them. */
  constructor(log: Logger, ofAll?: () => Promise<string>) {
    this.#log = log;
    this.#ofAll = ofAll;
    collectDefaultMetrics({ register: this.#registry });
  }

  /** The calls that `open` returns are counted whenever the metrics are read. */
  callsInFlight(open: () => Iterable<CallLabels>): void {
    const seen = new Map<string, Record<"rpc_method" | "rpc_system_name", string>>();
    const gauge = new Gauge({
      name: "rpc_server_calls_in_flight",
      help: "Calls that have begun and not ended.",
      labelNames: ["rpc_method", "rpc_system_name"],
      registers: [this.#registry],
      collect() {
        // What was seen once stays: for Prometheus a series that is not there is not 0.
        for (const labels of seen.values()) gauge.set(labels, 0);
        for (const { method, protocol } of open()) {
          const labels = { rpc_method: method, rpc_system_name: protocol };
          seen.set(`${method} ${protocol}`, labels);
          gauge.inc(labels);
        }
      },
    });
  }

  callEnded({ method, protocol }: CallLabels, code: string, seconds: number): void {
    this.#duration.observe({ rpc_method: method, rpc_system_name: protocol, rpc_response_status_code: code }, seconds);
  }

  connected(http: "1.1" | "2"): void {
    this.#connections.inc({ http });
  }

  /**
   * A value that is asked for whenever the metrics are read; where asking fails, the last value stays. That of several
   * processes is their sum, unless `aggregator` says otherwise.
   */
  gauge(name: string, help: string, read: () => number | Promise<number>, aggregator: Aggregator = "sum"): void {
    const log = this.#log;
    const gauge = new Gauge({
      name,
      help,
      aggregator,
      registers: [this.#registry],
      async collect() {
        try {
          gauge.set(await read());
        } catch (error) {
          log.warn({ err: error, metric: name }, "a metric could not be read");
        }
      },
    });
  }

  /** A number that only grows, by what is passed to the function that this returns. */
  counter(name: string, help: string): (count: number) => void {
    const counter = new Counter({ name, help, registers: [this.#registry] });
    return (count) => counter.inc(count);
  }

  /** The type of `text`. */
  get contentType(): string {
    return this.#registry.contentType;
  }

  /** Everything, in Prometheus' text format. */
  text(): Promise<string> {
    return this.#ofAll === undefined ? this.#registry.metrics() : this.#ofAll();
  }

  /** What this process has counted. */
  snapshot(): Promise<MetricsSnapshot> {
    return this.#registry.getMetricsAsJSON();
  }
}

/** The metrics of several processes as those of one, in Prometheus' text format. */
export function aggregateMetrics(snapshots: readonly MetricsSnapshot[]): Promise<string> {
  return AggregatorRegistry.aggregate([...snapshots]).metrics();
}
