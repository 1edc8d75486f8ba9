import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { accessContract } from "../contract/access.ts";
import { appendToStreamsContract } from "../contract/append-to-streams.ts";
import { appendContract } from "../contract/append.ts";
import { consumeContract } from "../contract/consume.ts";
import { consumerGroupsContract } from "../contract/consumer-groups.ts";
import { followContract } from "../contract/follow.ts";
import { jsonContract } from "../contract/json.ts";
import { limitsContract } from "../contract/limits.ts";
import { listsContract } from "../contract/lists.ts";
import { membersContract } from "../contract/members.ts";
import { namesContract } from "../contract/names.ts";
import { namespacesContract } from "../contract/namespaces.ts";
import { orderContract } from "../contract/order.ts";
import { pagesContract } from "../contract/pages.ts";
import { parkedContract } from "../contract/parked.ts";
import { readContract } from "../contract/read.ts";
import { removalContract } from "../contract/removal.ts";
import { repeatsContract } from "../contract/repeats.ts";
import { retentionContract } from "../contract/retention.ts";
import { sessionIsolationContract } from "../contract/session-isolation.ts";
import { sessionPolicyContract } from "../contract/session-policy.ts";
import { sessionTokensContract } from "../contract/session-tokens.ts";
import { sessionsContract } from "../contract/sessions.ts";
import { settleContract } from "../contract/settle.ts";
import { tokensContract } from "../contract/tokens.ts";
import { registerCases } from "./cases.ts";
import { type Harness, type HarnessOptions, openHarness } from "./harness.ts";
import { services } from "./proto-source.ts";
import { rpcName } from "./recorded-calls.ts";

/** What every server promises to every client. */
const CONTRACT = [
  appendContract,
  repeatsContract,
  appendToStreamsContract,
  namesContract,
  jsonContract,
  pagesContract,
  readContract,
  followContract,
  orderContract,
  listsContract,
  consumerGroupsContract,
  consumeContract,
  settleContract,
  parkedContract,
  membersContract,
  removalContract,
  retentionContract,
  namespacesContract,
  tokensContract,
  accessContract,
  limitsContract,
  sessionsContract,
  sessionTokensContract,
  sessionIsolationContract,
  sessionPolicyContract,
];

const RPCS = (await services()).flatMap(({ methods }) => methods.map(rpcName));
/** It takes nothing and asks for no credential. */
const NEVER_REFUSED = "ServerService/GetServerInfo";
const REFUSED_ANYWHERE = ["StreamService/AppendMessages", "StreamService/ReadMessages", "SessionService/CreateSession"];

/** Holds a server of this engine to the contract: to all of it, or at a distance to the cases that are held over the wire. */
export function contract(options: HarnessOptions, disturb?: (harness: Harness) => AsyncDisposable): void {
  describe(`${options.engine}, ${options.distance ?? "direct"}`, () => {
    let opened: Harness | undefined;
    let disturbance: AsyncDisposable | undefined;
    const harness = (): Harness => {
      if (opened === undefined) throw new Error("the harness is not open");
      return opened;
    };

    beforeAll(async () => {
      opened = await openHarness(options);
      disturbance = disturb?.(opened);
    });

    afterEach(() => {
      expect(harness().faults.splice(0)).toEqual([]);
    });

    afterAll(async () => {
      await disturbance?.[Symbol.asyncDispose]();
      await opened?.[Symbol.asyncDispose]();
    });

    registerCases(options.distance === undefined ? "all" : "over the wire", () => {
      for (const part of CONTRACT) part(harness);
    });

    // The cases before have made the calls.
    test("every RPC has been answered", () => {
      expect(RPCS.filter((rpc) => !harness().calls.answered.has(rpc))).toEqual([]);
    });

    test("every RPC has been refused, or over a protocol some", () => {
      // How an error travels is the same for every RPC, so over a protocol some RPCs will do.
      const expected = options.distance === undefined ? RPCS.filter((rpc) => rpc !== NEVER_REFUSED) : REFUSED_ANYWHERE;
      expect(expected.filter((rpc) => !harness().calls.refused.has(rpc))).toEqual([]);
    });
  });
}
