import { expect, test } from "vitest";
import { storeUnavailable } from "../../src/kernel/errors.ts";
import { faultLog } from "../../src/kernel/fault-log.ts";
import { createLogger } from "../../src/kernel/log.ts";

const about = { method: "satchel.v1.StreamService/AppendMessages", requestId: "r-1" };

function logging() {
  const lines: Record<string, unknown>[] = [];
  let timeMs = 0;
  const write = (line: string): void => void lines.push(JSON.parse(line) as Record<string, unknown>);
  const log = faultLog(createLogger("info", { write }), () => timeMs);
  return { lines, log, pass: (ms: number) => (timeMs += ms) };
}

test("an incident is logged with its cause, every time", () => {
  const { lines, log } = logging();
  for (const incidentId of ["i-1", "i-2"]) log({ ...about, incidentId, error: new Error("broken") });
  expect(lines).toMatchObject([
    { level: "error", incidentId: "i-1", err: { message: "broken" } },
    { level: "error", incidentId: "i-2", requestId: "r-1" },
  ]);
});

test("a store that is away is said once a second, with how many calls that stands for", () => {
  const { lines, log, pass } = logging();
  const error = storeUnavailable(new Error("connect ECONNREFUSED"));
  for (let call = 0; call < 100; call++) log({ ...about, error });
  pass(1_000);
  log({ ...about, error });
  const problem = "the store is unavailable: connect ECONNREFUSED";
  expect(lines).toMatchObject([
    { level: "warn", problem, others: 0 },
    { level: "warn", problem, others: 99 },
  ]);
});
