// A process that migrates a store to the next release and ends. Like a server, it waits for one that is in use.
import { argv } from "node:process";
import { setTimeout } from "node:timers/promises";
import { SatchelError } from "../../src/kernel/errors.ts";
import { openAs, STORE_ENGINES } from "./open-as.ts";

const [, , name, place = ""] = argv;
const engine = STORE_ENGINES.find((known) => known === name);
if (engine === undefined) throw new Error(`there is no engine ${name}`);

while (!(await migrated(engine))) await setTimeout(20);

async function migrated(known: (typeof STORE_ENGINES)[number]): Promise<boolean> {
  try {
    await using _ = await openAs("next", known, place);
    return true;
  } catch (error) {
    if (error instanceof SatchelError && error.reason === "STORE_UNAVAILABLE") return false;
    throw error;
  }
}
