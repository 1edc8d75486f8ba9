import { readConfig } from "../config/config.ts";
import { createLogger } from "../kernel/log.ts";
import { VERSION } from "../kernel/version.ts";
import { openStore } from "../open-store.ts";
import type { HostProcess } from "./host-process.ts";

/** Brings the store to this version's schema. */
export async function migrate({ env, print }: HostProcess): Promise<number> {
  const config = readConfig(env);
  await using store = await openStore(config, createLogger(config.logLevel));
  print(`The store (${store.kind}) has the schema of Satchel ${VERSION}.\n`);
  return 0;
}
