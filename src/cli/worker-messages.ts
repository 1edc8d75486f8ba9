import type { App } from "../app.ts";
import { type NamespacesApi, namespacesArea } from "../areas/namespaces/area.ts";
import type { MetricsSnapshot } from "../kernel/metrics.ts";

/** What a worker tells of its start. */
export type Started = Pick<App, "url" | "engine"> & Pick<NamespacesApi, "made" | "hasDefaultToken">;

/** What a running server tells of its start. */
export function startedOf({ url, engine, use }: App): Started {
  const { made, hasDefaultToken } = use(namespacesArea);
  return { url, engine, made, hasDefaultToken };
}

/** What workers send to the primary. */
export type ToPrimary =
  | { readonly kind: "started"; readonly started: Started }
  /** Why it ends, for whoever watches the primary. */
  | { readonly kind: "failed"; readonly problem: string }
  /** Somebody asks for the metrics of all workers. */
  | { readonly kind: "metrics-wanted"; readonly id: number }
  /** Its own, as the primary has asked. */
  | { readonly kind: "metrics"; readonly id: number; readonly snapshot: MetricsSnapshot | undefined };

/** What the primary sends to a worker. */
export type ToWorker =
  /** Drain, and end. */
  | { readonly kind: "stop" }
  | { readonly kind: "metrics-wanted"; readonly id: number }
  /** Those of all workers, in Prometheus' text format; undefined when a worker has not told its own. */
  | { readonly kind: "metrics-of-all"; readonly id: number; readonly text: string | undefined };
