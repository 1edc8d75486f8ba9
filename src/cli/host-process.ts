import type { Environment } from "../config/config.ts";

/** What commands need of the process in which they run. */
export interface HostProcess {
  readonly env: Environment;
  /** Writes to the standard output. */
  readonly print: (text: string) => void;
  /** Writes to the standard error output. */
  readonly printError: (text: string) => void;
  /** Calls `handler` at each signal of this name, in place of the end of the process. */
  readonly onSignal: (signal: StopSignal, handler: () => void) => void;
  /** Calls `handler` with what was thrown and not caught, in place of the end of the process. */
  readonly onUncaughtException: (handler: (error: unknown) => void) => void;
  /** Ends the process at once. */
  readonly exit: (code: number) => void;
}

/** The signals that ask the process to stop. */
export type StopSignal = "SIGTERM" | "SIGINT";

/** Runs a command, and returns the exit code of the process. Throws StartError and ConfigError. */
export type Command = (host: HostProcess) => Promise<number>;
