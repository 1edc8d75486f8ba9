import type { MetricsSnapshot } from "../../kernel/metrics.ts";
import type { StartInfo } from "../start-info.ts";

/** What a worker sends to the primary. */
export type ToPrimary =
  /** The worker listens. */
  | { readonly kind: "started"; readonly info: StartInfo }
  /** The worker ends, for this reason. */
  | { readonly kind: "failed"; readonly problem: string }
  /** The worker was asked for the metrics of all workers. The primary responds with `metrics-of-all` and the same id. */
  | { readonly kind: "metrics-of-all-wanted"; readonly id: number }
  /** The worker's own metrics, in response to `metrics-wanted` with this id; undefined: they could not be collected. */
  | { readonly kind: "metrics"; readonly id: number; readonly snapshot: MetricsSnapshot | undefined };

/** What the primary sends to a worker. */
export type ToWorker =
  /** Drain, and end. */
  | { readonly kind: "stop" }
  /** Send your metrics, with this id. */
  | { readonly kind: "metrics-wanted"; readonly id: number }
  /** The metrics of all workers in Prometheus' text format; undefined: a worker did not send its own in time. */
  | { readonly kind: "metrics-of-all"; readonly id: number; readonly text: string | undefined };
