import { readFileSync } from "node:fs";
import { createSecureContext } from "node:tls";
import { StartError } from "../start-error.ts";
import type { TlsFiles } from "./listener.ts";

/** The paths of PEM files. */
export interface TlsPaths {
  readonly tlsCert: string | undefined;
  readonly tlsKey: string | undefined;
  /** The authorities of client certificates; undefined: clients need none. */
  readonly tlsClientCa: string | undefined;
}

/** Reads the files of TLS; undefined when there are none. Throws StartError when they cannot be used. */
export function readTls({ tlsCert, tlsKey, tlsClientCa }: TlsPaths): TlsFiles | undefined {
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
