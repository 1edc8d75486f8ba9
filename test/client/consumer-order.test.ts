import fc from "fast-check";
import { setImmediate as turn } from "node:timers/promises";
import { expect, test } from "vitest";
import type { MessageHandler } from "../../clients/typescript/src/index.ts";
import { FakeGroupServer } from "./fake-group-server.ts";

const ENTITIES = 4;
const CONCURRENCY = 3;

const delivery = fc.record({
  kind: fc.constant("deliver" as const),
  position: fc.nat(20),
  attempt: fc.integer({ min: 1, max: 4 }),
});
const step = fc.oneof(
  { weight: 12, arbitrary: delivery },
  { weight: 1, arbitrary: fc.constant({ kind: "revoke" as const }) },
  { weight: 1, arbitrary: fc.constant({ kind: "disconnect" as const }) },
);

/** A handler that takes a while, may fail, and keeps account of itself. */
class CountingHandler {
  readonly succeeded = new Set<string>();
  readonly violations: string[] = [];
  readonly #running = new Set<string>();
  readonly #turns: number;

  constructor(turns: number) {
    this.#turns = turns;
  }

  readonly handle: MessageHandler = async ({ streamName, globalPosition }, { epoch, attempt }) => {
    if (this.#running.has(streamName)) this.violations.push(`${streamName} twice at once`);
    this.#running.add(streamName);
    if (this.#running.size > CONCURRENCY) this.violations.push("too many at once");
    for (let count = Number(globalPosition) % this.#turns; count >= 0; count--) await turn();
    this.#running.delete(streamName);
    if ((Number(globalPosition) + attempt) % 5 === 0) throw new Error("as it happens");
    this.succeeded.add(`${epoch}/${globalPosition}`);
  };
}

test("whatever a server says and when, entities are handled in turn and only what was handled is acknowledged", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 60 }), fc.integer({ min: 1, max: 5 }), async (steps, turns) => {
      const server = new FakeGroupServer();
      const handler = new CountingHandler(turns);
      const run = server.run({ handler: handler.handle, concurrency: CONCURRENCY });
      let epoch = 1;
      let member = (await server.member()).join(epoch);
      for (const next of steps) {
        if (next.kind === "deliver") {
          const { position, attempt } = next;
          member.deliver({ position, attempt, epoch, stream: `order-${position % ENTITIES}` });
        } else if (next.kind === "revoke") {
          member.leases("revoked", epoch).leases("assigned", ++epoch);
        } else {
          member.fail();
          member = (await server.member(server.memberships.length + 1)).join(++epoch);
        }
        if (turns > 2) await turn();
      }
      await run.stop();
      expect(handler.violations).toEqual([]);
      const acknowledged = server.acknowledgements.flatMap((request) =>
        request.globalPositions.map((position) => `${request.epoch}/${position}`),
      );
      expect(acknowledged.filter((name) => !handler.succeeded.has(name))).toEqual([]);
    }),
    { numRuns: 100 },
  );
});
