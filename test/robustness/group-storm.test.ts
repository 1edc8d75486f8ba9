import { expect, test } from "vitest";
import { Replicas } from "../storm/groups/replicas.ts";
import { groupStorm } from "../storm/groups/storm.ts";
import { createDatabase } from "../support/databases.ts";

// Another two each time; `npm run storm:groups` runs more of them, or the one of a seed that has failed here.
const FIRST = Date.now() % 1_000_000;
const SEEDS = [FIRST, FIRST + 1];

test.each(["sqlite", "postgresql"] as const)(
  "members who come, go and are killed handle everything, in order: %s",
  async (engine) => {
    await using cleanUp = new AsyncDisposableStack();
    const database = engine === "postgresql" ? cleanUp.use(await createDatabase()) : undefined;
    const replicas = cleanUp.use(await Replicas.start(database?.url));
    for (const seed of SEEDS) {
      const { problems, memberships, handOvers } = await groupStorm(replicas, seed);
      expect(problems, `npm run storm:groups -- --runs 1 --seed ${seed}`).toEqual([]);
      expect(memberships).toBeGreaterThan(6);
      expect(handOvers.length).toBeGreaterThan(0);
    }
  },
  180_000,
);
