import { expect, test } from "vitest";
import { openSite } from "../storm/site.ts";
import { storm } from "../storm/storm.ts";
import { createDatabase } from "../support/databases.ts";

// Another three each time; `npm run storm` runs more of them, or the one of a seed that has failed here.
const FIRST = Date.now() % 1_000_000;
const SEEDS = [FIRST, FIRST + 1, FIRST + 2];

test.each(["sqlite", "postgresql"] as const)(
  "whoever follows in a storm gets everything once, in order: %s",
  async (engine) => {
    await using cleanUp = new AsyncDisposableStack();
    const database = engine === "postgresql" ? cleanUp.use(await createDatabase()) : undefined;
    const site = cleanUp.use(await openSite(database?.url));
    for (const seed of SEEDS) {
      const { problems, calls } = await storm({ site, seed, messageDb: engine === "postgresql" && seed % 2 === 0 });
      expect(problems, `npm run storm -- --runs 1 --seed ${seed}`).toEqual([]);
      expect(calls).toBeGreaterThan(30);
    }
  },
  90_000,
);
