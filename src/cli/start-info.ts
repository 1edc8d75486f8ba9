import type { App } from "../app.ts";
import { type NamespacesApi, namespacesArea } from "../areas/namespaces/area.ts";

/** What a server reports of its start; a worker sends it to its primary. */
export type StartInfo = Pick<App, "url" | "engine"> & Pick<NamespacesApi, "made" | "hasDefaultToken">;

/** What a running server reports of its start. */
export function startInfo({ url, engine, use }: App): StartInfo {
  const { made, hasDefaultToken } = use(namespacesArea);
  return { url, engine, made, hasDefaultToken };
}
