import { request as httpRequest } from "node:http";
import { request as httpsRequest } from "node:https";
import { type Config, readConfig } from "../config/config.ts";
import { StartError } from "../kernel/start-error.ts";
import type { HostProcess } from "./host-process.ts";

const TIMEOUT_MS = 5_000;
/** What a server says that requires a client certificate. */
const CERTIFICATE_REQUIRED = /certificate required|handshake failure/i;

/** Asks the server on this machine whether it is ready. Throws StartError when it is not. */
export async function healthcheck({ env }: HostProcess): Promise<number> {
  const status = await statusOf(readConfig(env));
  if (status === undefined) throw new StartError("no server answers");
  if (status !== 200) throw new StartError(`the server is not ready (${status})`);
  return 0;
}

/**
 * The HTTP status of /readyz; undefined when there was no response. The check has no client certificate: a server that
 * asks for one counts as ready.
 */
async function statusOf({ host, port, tlsCert, tlsClientCa }: Config): Promise<number | undefined> {
  const options = { hostname: reachable(host), port, path: "/readyz", timeout: TIMEOUT_MS };
  const { promise, resolve } = Promise.withResolvers<number | undefined>();
  const request =
    tlsCert === undefined ? httpRequest(options) : httpsRequest({ ...options, rejectUnauthorized: false });
  request.on("response", (response) => resolve(response.resume().statusCode));
  request.on("timeout", () => request.destroy(new Error("timeout")));
  request.on("error", ({ message }) =>
    resolve(tlsClientCa !== undefined && CERTIFICATE_REQUIRED.test(message) ? 200 : undefined),
  );
  request.end();
  return promise;
}

/** An address of this machine, for a server that listens on all of them. */
function reachable(host: string): string {
  return host === "0.0.0.0" ? "127.0.0.1" : host === "::" ? "::1" : host;
}
