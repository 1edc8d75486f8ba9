import { type DestinationStream, type Logger, destination, pino, stdTimeFunctions } from "pino";

export type { Logger } from "pino";

const STDERR = 2;

/** A logger of JSON lines to stderr, or to `stream`. */
export function createLogger(level: string, stream: DestinationStream = destination(STDERR)): Logger {
  return pino(
    { level, timestamp: stdTimeFunctions.isoTime, formatters: { level: (label) => ({ level: label }) } },
    stream,
  );
}
