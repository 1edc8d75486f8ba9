import { expect, test } from "vitest";
import { openHarness } from "../support/harness.ts";
import { heldBytes } from "../support/held-bytes.ts";
import { RawFollowers } from "../support/raw-followers.ts";
import { append, inCategory, inStream, upTo } from "../support/streams.ts";

const FOLLOWERS = 1_000;
const CONNECTIONS = 10;
const MAX_BYTES = 100 * 1024 * 1024;

test.each(["sqlite-file", "postgresql"] as const)(
  "1,000 followers over 10 connections hold less than 100 MiB, their clients included, and each gets its own: %s",
  async (engine) => {
    await using harness = await openHarness({ engine, distance: "grpc" });
    const { streams, token } = await harness.namespace();
    const got: string[] = [];
    const complete = Promise.withResolvers<void>();
    // Two of each, of a stream and of its category.
    const requests = upTo(FOLLOWERS).map((index) => {
      const name = `own${Math.floor(index / 4)}`;
      return { selector: index % 2 === 0 ? inStream(`${name}-1`) : inCategory(name) };
    });
    const options = { url: harness.url ?? "", token, connections: CONNECTIONS, requests };
    const before = await heldBytes();
    using _ = await RawFollowers.open({
      ...options,
      onFrame: (follower, kind) => {
        if (kind !== "messages") return;
        got.push(`own${Math.floor(follower / 4)}`);
        if (got.length === FOLLOWERS) complete.resolve();
      },
    });
    expect((await heldBytes()) - before).toBeLessThan(MAX_BYTES);
    for (const index of upTo(FOLLOWERS / 4)) await append(streams, `own${index}-1`, [index]);
    await complete.promise;
    const counts = new Set(upTo(FOLLOWERS / 4).map((index) => got.filter((name) => name === `own${index}`).length));
    expect([...counts]).toEqual([4]);
  },
  60_000,
);
