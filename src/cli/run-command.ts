import { ConfigError } from "../config/config.ts";
import { StartError } from "../kernel/start-error.ts";
import { VERSION } from "../kernel/version.ts";
import { leavePrimary, reportFailure } from "./cluster/primary-link.ts";
import { healthcheck } from "./healthcheck.ts";
import { helpText, USAGE } from "./help.ts";
import type { Command, HostProcess } from "./host-process.ts";
import { migrate } from "./migrate.ts";
import { serve } from "./serve.ts";

const COMMANDS: Readonly<Record<string, Command>> = { serve, migrate, healthcheck };

/** Runs the command that the arguments name, and returns the exit code of the process. Never rejects. */
export async function runCommand(args: readonly string[], host: HostProcess): Promise<number> {
  try {
    return await commandOf(args)(host);
  } catch (error) {
    const problem = problemOf(error);
    if (!(await reportFailure(problem))) host.printError(`${problem.replaceAll(/^(?! )/gm, "satchel: ")}\n`);
    leavePrimary();
    return 1;
  }
}

/** Throws StartError when there is no such command. */
function commandOf([name = "--help", ...rest]: readonly string[]): Command {
  if (name === "--version" || name === "-v") return printing(`${VERSION}\n`);
  if (name === "--help" || name === "-h" || name === "help") return printing(USAGE);
  const command = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
  if (command === undefined) throw new StartError(`there is no command ${JSON.stringify(name)}; see satchel --help`);
  if (rest.includes("--help") || rest.includes("-h")) return printing(helpText());
  if (rest.length > 0)
    throw new StartError(
      `${name} takes no arguments; it is configured by environment variables: satchel ${name} --help`,
    );
  return command;
}

function printing(text: string): Command {
  return async ({ print }) => {
    print(text);
    return 0;
  };
}

/** The message of an error that its reader can act on; the stack of any other. */
function problemOf(error: unknown): string {
  if (error instanceof StartError || error instanceof ConfigError) return error.message;
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
