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

/** The labels of a call. Every label has few values. */
export interface CallLabels {
  /** `package.Service/Method`, or "unknown". */
  readonly method: string;
  /** `grpc`, `grpc-web` or `connect`. */
  readonly protocol: string;
}

/** The metrics of a process, in a form that can be sent to another one. */
export type MetricsSnapshot = Awaited<ReturnType<Registry["getMetricsAsJSON"]>>;

/** The metrics of a process for Prometheus. Names follow OpenTelemetry's conventions for RPC. */
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

  /** `ofAll`: returns the metrics of several processes, including this one, in place of its own. */
  constructor(log: Logger, ofAll?: () => Promise<string>) {
    this.#log = log;
    this.#ofAll = ofAll;
    collectDefaultMetrics({ register: this.#registry });
  }

  /** Counts the calls of `open` whenever the metrics are read. */
  callsInFlight(open: () => Iterable<CallLabels>): void {
    const seen = new Map<string, Record<"rpc_method" | "rpc_system_name", string>>();
    const gauge = new Gauge({
      name: "rpc_server_calls_in_flight",
      help: "Calls that have begun and not ended.",
      labelNames: ["rpc_method", "rpc_system_name"],
      registers: [this.#registry],
      collect() {
        // A series stays when its count is 0: for Prometheus a missing series is not 0.
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
   * Adds a gauge, whose value is read whenever the metrics are read; it keeps its value when that fails. `aggregator`:
   * how the values of several processes are combined.
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

  /** Adds a counter. The returned function increases it. */
  counter(name: string, help: string): (count: number) => void {
    const counter = new Counter({ name, help, registers: [this.#registry] });
    return (count) => counter.inc(count);
  }

  /** The type of `text`. */
  get contentType(): string {
    return this.#registry.contentType;
  }

  /** All metrics in Prometheus' text format. */
  text(): Promise<string> {
    return this.#ofAll === undefined ? this.#registry.metrics() : this.#ofAll();
  }

  /** The metrics of this process. */
  snapshot(): Promise<MetricsSnapshot> {
    return this.#registry.getMetricsAsJSON();
  }
}

/** Combines the metrics of several processes, in Prometheus' text format. */
export function aggregateMetrics(snapshots: readonly MetricsSnapshot[]): Promise<string> {
  return AggregatorRegistry.aggregate([...snapshots]).metrics();
}
