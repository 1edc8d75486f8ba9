// Runs in an empty project in which @satchel/client is installed, on every Node that it supports: see packages.test.ts.

import { createClient, RejectMessage, SatchelClientError } from "@satchel/client";
import { SessionMiddleware } from "@satchel/client/middleware";
import { createClient as createWebClient } from "@satchel/client/web";
import assert from "node:assert/strict";

const refused = (): never => assert.fail("the session is refused");
const options = { baseUrl: process.env["URL"]!, token: process.env["TOKEN"]! };

for (const create of [createClient, createWebClient]) {
  using client = create(options);
  const name = `sum-${client.constructor.name}${crypto.randomUUID().replaceAll("-", "")}`;

  const large = 2n ** 60n + 1n;
  await client.streams.append(name, [{ type: "Added", data: { large } }], { expectedVersion: -1n });
  await assert.rejects(
    client.streams.append(name, [{ type: "Added" }], { expectedVersion: -1n }),
    (error) => error instanceof SatchelClientError && error.conflicts[0]?.actual === 0n,
  );
  for await (const message of client.streams.read({ streamName: name, follow: true })) {
    assert.deepEqual(message.json({ bigints: true }), { large });
    break;
  }

  const handled = new AbortController();
  const attempts: number[] = [];
  await client.consumerGroups.run({
    group: `group-${name.slice(-12)}`,
    create: { category: "sum", partitions: 1, backoffMs: [0] },
    signal: handled.signal,
    handler: (message, { attempt }) => {
      if (message.streamName !== name) return;
      attempts.push(attempt);
      if (attempt === 1) throw new RejectMessage("retry", { delayMs: 0 });
      handled.abort();
    },
  });
  assert.deepEqual(attempts, [1, 2]);

  const { token } = await client.sessions.create({ userId: "ada" });
  const guard = new SessionMiddleware(client.sessions);
  const request = { headers: { authorization: `Bearer ${token}` } };
  await guard.fastify(request, { code: refused, header: refused, send: refused });
  assert.equal(guard.of(request)?.session.userId, "ada");
}
console.log("every area works");
