import { createHash } from "node:crypto";
import { expect, test } from "vitest";
import { createClient, type SatchelClient, SatchelClientError } from "../../clients/typescript/src/index.ts";
import { createApp } from "../../src/app.ts";
import { namespacesArea } from "../../src/areas/namespaces/area.ts";
import { readConfig } from "../../src/config/config.ts";
import { createLogger } from "../../src/kernel/log.ts";
import { openEngine } from "../support/engines.ts";

function sha256(text: string, encoding: "hex" | "base64"): string {
  return createHash("sha256").update(text).digest(encoding);
}

/** What is said of a failure, in every place where it can be. */
async function failureText(call: Promise<unknown>): Promise<string> {
  const error: unknown = await call.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof SatchelClientError)) throw new Error("the call has not failed as it should");
  return JSON.stringify([error.message, error.facts, error.violations, error.stack]);
}

test("no log, error, list, message or metric has a token in it, or the SHA-256 of one", async () => {
  await using engine = await openEngine("postgresql");
  let log = "";
  const logger = createLogger("trace", { write: (line) => void (log += line) });
  const config = readConfig({ SATCHEL_PORT: "0", SATCHEL_DATA_DIR: ":memory:" });
  const said: string[] = [];
  const secrets: string[] = [];
  await using app = await createApp(config, { log: logger, engine: engine.engine });
  using client = createClient({ baseUrl: app.url, token: app.use(namespacesArea).made.defaultNamespaceToken });
  const { sessions } = client;
  const first = await sessions.create({ userId: "ann", deviceId: "phone", amr: ["pwd"] });
  const second = await sessions.refresh(first.token);
  const third = await sessions.elevate(second.token, { aal: 2 });
  const impersonation = await sessions.impersonate({ userId: "ann", actorId: "bob", reason: "r" });
  for (const { token } of [first, second, third, impersonation])
    secrets.push(token.slice(40, 120), token.slice(-40), sha256(token, "hex"), sha256(token, "base64"));

  const open = (token: string): SatchelClient => createClient({ baseUrl: app.url, token });
  using replaced = open(first.token);
  using own = open(third.token);
  said.push(await failureText(replaced.sessions.get()));
  said.push(await failureText(sessions.refresh(`${third.token}A`)));
  said.push(await failureText(sessions.elevate(third.token, { aal: 1 })));
  said.push(await failureText(own.sessions.update("nothing", { location: third.token })));
  said.push(await failureText(own.streams.append(third.token, [{ type: "T" }])));
  said.push(await failureText(sessions.refresh(first.token)));
  for await (const session of sessions.list()) said.push(JSON.stringify(session, bigints));
  for await (const message of client.streams.read({ category: "$session" })) said.push(message.data ?? "");
  said.push(await (await fetch(`${app.url}/metrics`)).text(), log);

  expect(log).toContain("RefreshSession");
  expect(said.at(-3)).toContain("refresh-reuse");
  for (const secret of secrets) expect(said.filter((text) => text.includes(secret))).toEqual([]);
});

function bigints(_key: string, value: unknown): unknown {
  return typeof value === "bigint" ? String(value) : value;
}
