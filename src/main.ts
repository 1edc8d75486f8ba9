#!/usr/bin/env node
import { runCommand } from "./cli/run-command.ts";

/** How long something that was not closed may keep the process from ending. */
const EXIT_STUCK_MS = 1_000;

// A reader of the output may go away, as `head` does.
process.stdout.on("error", () => undefined);
process.exitCode = await runCommand(process.argv.slice(2), {
  env: process.env,
  print: (text) => void process.stdout.write(text),
  printError: (text) => void process.stderr.write(text),
  onSignal: (signal, handler) => void process.on(signal, handler),
  onUncaughtException: (handler) => void process.on("uncaughtException", handler),
  exit: (code) => process.exit(code),
});
setTimeout(() => process.exit(), EXIT_STUCK_MS).unref();
