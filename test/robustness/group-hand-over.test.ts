import { expect, test } from "vitest";
import { createClient, type SatchelClient } from "../../clients/typescript/src/index.ts";
import { createDatabase } from "../support/databases.ts";
import { type ServerProcess, startServer } from "../support/server-process.ts";

const GROUP = "mailer";
const PARTITIONS = 8;
const KILL_MS = 5_000;
const AT_ONCE_MS = 1_000;
/** A busy machine may be late now and then, but not each time. */
const TRIES = 3;
const SOON = { timeout: 30_000, interval: 5 };

/** A member, and the partitions that it has. */
interface Member {
  readonly client: SatchelClient;
  readonly held: ReadonlySet<number>;
  readonly stop: () => Promise<void>;
}

function join({ url, token }: { readonly url: string; readonly token: string }): Member {
  const client = createClient({ baseUrl: url, token });
  const held = new Set<number>();
  const run = client.consumerGroups.run({
    group: GROUP,
    create: { category: "order", partitions: PARTITIONS },
    handler: () => undefined,
    onEvent: (event) => {
      if (event.kind === "assigned") for (const { partition } of event.partitions) held.add(partition);
      if (event.kind === "revoked") for (const { partition } of event.partitions) held.delete(partition);
    },
  });
  run.catch(() => undefined);
  return { client, held, stop: () => run.stop() };
}

/** Who comes, and how it is lost. */
interface Loss {
  readonly come: () => Promise<Member>;
  readonly lose: (member: Member) => Promise<unknown>;
}

/** The least time, of a few tries, from the loss of a member to the moment when another one has its partitions too. */
async function handOverMs(stays: Member, { come, lose }: Loss): Promise<number> {
  const times: number[] = [];
  for (let tries = 0; tries < TRIES; tries++) {
    const goes = await come();
    await expect.poll(() => [stays.held.size, goes.held.size], SOON).toEqual([PARTITIONS / 2, PARTITIONS / 2]);
    const began = performance.now();
    const losing = lose(goes);
    await expect.poll(() => stays.held.size, SOON).toBe(PARTITIONS);
    times.push(performance.now() - began);
    await losing;
    goes.client.close();
  }
  return Math.min(...times);
}

test.each(["sqlite", "postgresql"] as const)(
  "the partitions of a member that leaves, or whose connection closes, are another's at once: %s",
  async (engine) => {
    await using cleanUp = new AsyncDisposableStack();
    const databaseUrl = engine === "postgresql" ? cleanUp.use(await createDatabase()).url : undefined;
    const { url, defaultToken } = cleanUp.use(await startServer({ databaseUrl }));
    const place = { url, token: await defaultToken() };
    const stays = join(place);
    cleanUp.defer(() => stays.client.close());
    const come = async (): Promise<Member> => join(place);
    const leave = handOverMs(stays, { come, lose: (member) => member.stop() });
    expect(await leave).toBeLessThan(AT_ONCE_MS);
    const disconnect = handOverMs(stays, { come, lose: async ({ client }) => client.close() });
    expect(await disconnect).toBeLessThan(AT_ONCE_MS);
    await stays.stop();
  },
  120_000,
);

test("the partitions of members at a replica that is killed are others' within 5 seconds, and at once when it is stopped", async () => {
  await using cleanUp = new AsyncDisposableStack();
  const databaseUrl = cleanUp.use(await createDatabase()).url;
  const stable = cleanUp.use(await startServer({ databaseUrl }));
  const token = await stable.defaultToken();
  const stays = join({ url: stable.url, token });
  cleanUp.defer(() => stays.client.close());
  let lost: ServerProcess | undefined;
  cleanUp.defer(async () => lost?.[Symbol.asyncDispose]());
  const come = async (): Promise<Member> => {
    lost = await startServer({ databaseUrl });
    return join({ url: lost.url, token });
  };
  expect(await handOverMs(stays, { come, lose: async () => lost?.kill() })).toBeLessThan(KILL_MS);
  expect(await handOverMs(stays, { come, lose: async () => lost?.stop() })).toBeLessThan(AT_ONCE_MS);
  await stays.stop();
}, 180_000);
