import { availableParallelism } from "node:os";
import { defineConfig } from "vitest/config";

const common = {
  testTimeout: 30_000,
  hookTimeout: 60_000,
} as const;

/** Tests of one piece of code, which need nothing but Node. */
const ALONE = ["test/unit/**/*.test.ts", "test/arch/**/*.test.ts"];

export default defineConfig({
  test: {
    // Much of the time of these tests is waiting, so two run at once even on two cores.
    maxWorkers: Math.max(2, Math.floor(availableParallelism() / 2)),
    projects: [
      {
        test: {
          ...common,
          name: "connect adapter",
          include: ["test/wire/**/*.test.ts"],
          // It starts servers of its own, by the command line.
          exclude: ["test/wire/command-line.test.ts"],
          env: { SATCHEL_TEST_RPC_ADAPTER: "connect" },
        },
      },
      { test: { ...common, name: "unit", include: ALONE } },
      {
        test: {
          ...common,
          name: "engines",
          include: ["test/**/*.test.ts"],
          exclude: ALONE,
          globalSetup: ["test/support/postgres.ts"],
        },
      },
    ],
  },
});
