import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { createClient, type Delivery, type SatchelClient } from "../../clients/typescript/src/index.ts";
import { createDatabase } from "../support/databases.ts";
import { startServer } from "../support/server-process.ts";

const GROUP = "mailer";
const DELAY_MS = 4_000;

/** Resolves with so many deliveries; settles none of them, and takes part until `stay` resolves. */
async function take({ consumerGroups }: SatchelClient, count: number, stay: Promise<unknown>): Promise<Delivery[]> {
  const taken: Delivery[] = [];
  const complete = Promise.withResolvers<Delivery[]>();
  const taking = async (): Promise<void> => {
    for await (const frame of consumerGroups.consume(GROUP)) {
      if (frame.kind !== "deliveries") continue;
      taken.push(...frame.deliveries);
      if (taken.length < count) continue;
      complete.resolve(taken);
      return void (await stay);
    }
  };
  taking().catch((error: unknown) => complete.reject(error));
  return complete.promise;
}

function typesAndAttempts(deliveries: readonly Delivery[]): string[] {
  return deliveries.map(({ message, attempt }) => `${message.type} ${attempt}`).sort();
}

test.each(["sqlite", "postgresql"] as const)(
  "what is parked, what waits for its next attempt, and the number of it survive a crash: %s",
  async (engine) => {
    await using cleanUp = new AsyncDisposableStack();
    const databaseUrl = engine === "postgresql" ? cleanUp.use(await createDatabase()).url : undefined;
    const directory = await mkdtemp(join(tmpdir(), "satchel-group-crash-"));
    cleanUp.defer(() => rm(directory, { recursive: true, force: true }));
    const first = cleanUp.use(await startServer({ databaseUrl, directory }));
    const token = await first.defaultToken();
    const before = cleanUp.use(createClient({ baseUrl: first.url, token }));
    await before.consumerGroups.create(GROUP, { category: "order" });
    for (const type of ["Parked", "Late", "Held", "Done"]) await before.streams.append(`order-${type}`, [{ type }]);
    const crash = Promise.withResolvers<void>();
    const held = await take(before, 4, crash.promise);
    expect(typesAndAttempts(held)).toEqual(["Done 1", "Held 1", "Late 1", "Parked 1"]);
    const lease = (type: string) => {
      const { partition, epoch, message } = held.find((delivery) => delivery.message.type === type)!;
      return { partition, epoch, globalPositions: [message.globalPosition] };
    };
    await before.consumerGroups.reject(GROUP, { ...lease("Parked"), action: "park", reason: "not an order" });
    const rejectedMs = Date.now();
    await before.consumerGroups.reject(GROUP, { ...lease("Late"), action: "retry", delayMs: DELAY_MS });
    await before.consumerGroups.acknowledge(GROUP, lease("Done"));
    await first.kill();
    crash.resolve();

    const second = cleanUp.use(await startServer({ databaseUrl, directory }));
    const after = cleanUp.use(createClient({ baseUrl: second.url, token }));
    const parked = await Array.fromAsync(after.consumerGroups.listParkedMessages(GROUP));
    expect(parked).toMatchObject([{ message: { type: "Parked" }, reason: "not an order", attempts: 1 }]);
    const done = Promise.withResolvers<void>();
    expect(typesAndAttempts(await take(after, 2, done.promise))).toEqual(["Held 2", "Late 2"]);
    expect(Date.now() - rejectedMs).toBeGreaterThanOrEqual(DELAY_MS);
    done.resolve();
  },
  120_000,
);
