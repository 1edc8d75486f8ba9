import { setTimeout as delay } from "node:timers/promises";
import { Pool } from "pg";
import { expect, test } from "vitest";
import type { NamespaceId } from "../../src/kernel/namespace-id.ts";
import { Notifications } from "../../src/kernel/store/engines/postgres/notifications.ts";
import type { Store } from "../../src/kernel/store/store.ts";
import type { WakeUp } from "../../src/kernel/store/wake-up.ts";
import { NAMESPACE, openPostgresNamespace } from "../support/postgres-namespace.ts";

type News = readonly [NamespaceId | undefined, readonly string[] | undefined];

/** What a watcher is told, and when it has been told something of a topic. */
function watcher(store: Store): { readonly heard: News[]; readonly told: (topic: string) => Promise<void> } {
  const heard: News[] = [];
  const waiting = new Map<string, () => void>();
  const wake: WakeUp = (namespaceId, topics) => {
    heard.push([namespaceId, topics && [...topics]]);
    for (const topic of topics ?? []) waiting.get(topic)?.();
  };
  store.watch(wake);
  return { heard, told: (topic) => new Promise((resolve) => void waiting.set(topic, resolve)) };
}

test("every watcher hears of appends and announcements, here at once, and in other processes", async () => {
  await using namespace = await openPostgresNamespace();
  const [here, there] = [await namespace.replica(), await namespace.replica()];
  const watchers = [watcher(here.store), watcher(here.store), watcher(there.store), watcher(there.store)];
  // The connection that listens says when it does: it wakes everybody.
  await expect.poll(() => watchers[3]!.heard).toContainEqual([undefined, undefined]);

  const told = watchers.slice(2).map((one) => one.told("group-mailer"));
  here.store.announce(NAMESPACE, new Set(["group-mailer"]));
  for (const { heard } of watchers.slice(0, 2)) expect(heard).toContainEqual([NAMESPACE, ["group-mailer"]]);
  await Promise.all(told);

  const appended = watchers.slice(2).map((one) => one.told("order"));
  await here.append("order-1");
  for (const { heard } of watchers.slice(0, 2)) expect(heard).toContainEqual([NAMESPACE, ["order"]]);
  await Promise.all(appended);
});

test("a notification that is not Satchel's wakes everybody, and the next one is heard as ever", async () => {
  await using namespace = await openPostgresNamespace();
  const [here, there] = [await namespace.replica(), await namespace.replica()];
  const { heard, told } = watcher(there.store);
  await expect.poll(() => heard).toEqual([[undefined, undefined]]);
  const sql = await namespace.client();
  const foreign = ["", "hello", "null", "[]", "{}", '{"from":"x","appended":[]}', '{"from":"x","appended":{"live":7}}'];
  for (const payload of foreign) await sql.query("SELECT pg_notify('satchel_appended', $1)", [payload]);
  await expect.poll(() => heard).toEqual([undefined, ...foreign].map(() => [undefined, undefined]));
  const appended = told("order");
  await here.append("order-1");
  await appended;
});

test("a process that is alone notifies nobody, until another one listens", async () => {
  await using namespace = await openPostgresNamespace();
  const pool = new Pool({ connectionString: namespace.url });
  await using cleanUp = new AsyncDisposableStack();
  cleanUp.defer(() => pool.end());
  const open = () =>
    cleanUp.use(new Notifications(pool, { connectionString: namespace.url }, { aliveMs: 20, goneMs: 300 }));
  const overheard: string[] = [];
  const spy = await namespace.client();
  spy.on("notification", ({ payload = "" }) => overheard.push(payload));
  await spy.query("LISTEN satchel_appended");
  const announced = () => overheard.filter((payload) => payload.includes("appended")).length;

  const first = open();
  const told = { first: 0, second: [] as string[] };
  first.listen(() => told.first++);
  // It reckons with others for a while, since it cannot know of them yet.
  await expect.poll(() => announceOnce(first, announced), { timeout: 10_000 }).toBe(false);

  const second = open();
  second.listen((_, topics) => told.second.push(...(topics ?? ["everything"])));
  // What was not announced before is not lost on it: it is woken, when it listens and when it is known to the first one.
  await expect.poll(() => told.second).toEqual(["everything", "everything"]);
  first.announce(NAMESPACE, new Set(["order"]));
  await expect.poll(() => told.second).toEqual(["everything", "everything", "order"]);

  await second[Symbol.asyncDispose]();
  await expect.poll(() => announceOnce(first, announced), { timeout: 10_000 }).toBe(false);
});

/** Whether an announcement is heard of. */
async function announceOnce(notifications: Notifications, announced: () => number): Promise<boolean> {
  const before = announced();
  notifications.announce(NAMESPACE, new Set(["order"]));
  await delay(50);
  return announced() > before;
}
