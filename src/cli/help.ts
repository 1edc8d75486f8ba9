import { configHelp } from "../config/help.ts";
import { VERSION } from "../kernel/version.ts";

/** What `satchel --help` prints. */
export const USAGE = `Satchel ${VERSION}: the storage service behind messaging applications.

  satchel serve         run the server
  satchel migrate       bring the store to this version's schema, and exit
  satchel healthcheck   exit with 0 if the server that runs here is ready, else with 1
  satchel --version     print the version

  satchel serve --help  explains the environment variables that configure all of them
`;

/** What `--help` of a command prints. */
export function helpText(): string {
  return `${USAGE}\nEnvironment variables, with what they are unless set:\n\n${configHelp()}\n`;
}
