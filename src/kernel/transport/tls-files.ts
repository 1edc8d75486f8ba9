import { readFileSync } from "node:fs";
import { createSecureContext } from "node:tls";
import type { Config } from "../../config/config.ts";
import { StartError } from "../start-error.ts";
import type { TlsFiles } from "./listener.ts";

/** What the configuration says of TLS, or undefined: nothing. Throws StartError when its files cannot be used. */
export function readTls({ tlsCert, tlsKey, tlsClientCa }: Config): TlsFiles | undefined {
  if (tlsCert === undefined || tlsKey === undefined) return undefined;
  const files = {
    cert: readPem("SATCHEL_TLS_CERT", tlsCert),
    key: readPem("SATCHEL_TLS_KEY", tlsKey),
    clientCa: tlsClientCa === undefined ? undefined : readPem("SATCHEL_TLS_CLIENT_CA", tlsClientCa),
  };
  try {
    createSecureContext({ cert: files.cert, key: files.key, ca: files.clientCa });
  } catch (error) {
    throw new StartError(
      `cannot serve TLS with the files given: ${error instanceof Error ? error.message : String(error)}`,
      { cause: error },
    );
  }
  return files;
}

function readPem(variable: string, path: string): Buffer {
  try {
    return readFileSync(path);
  } catch (error) {
    throw new StartError(`cannot read ${variable}: ${error instanceof Error ? error.message : String(error)}`, {
      cause: error,
    });
  }
}
