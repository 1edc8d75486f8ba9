import { type DestinationStream, type Logger, destination, pino, stdTimeFunctions } from "pino";

export type { Logger } from "pino";

const STDERR = 2;

/** JSON lines, on stderr unless said otherwise: stdout is for what people read. */
export function createLogger(level: string, stream: DestinationStream = destination(STDERR)): Logger {
  return pino(
    { level, timestamp: stdTimeFunctions.isoTime, formatters: { level: (label) => ({ level: label }) } },
    stream,
  );
}
