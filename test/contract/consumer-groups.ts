import type { MessageInitShape } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import { setTimeout as delay } from "node:timers/promises";
import { expect } from "vitest";
import type {
  ConsumerGroupSchema,
  CreateConsumerGroupRequestSchema,
} from "../../src/gen/satchel/v1/consumer_groups_pb.ts";
import { describe, it } from "../support/cases.ts";
import { failureOf } from "../support/failures.ts";
import { GROUP_ID, newGroup, sumOf } from "../support/groups.ts";
import type { GroupClient, Harness } from "../support/harness.ts";
import { append, upTo } from "../support/streams.ts";

type Group = MessageInitShape<typeof ConsumerGroupSchema>;
type Start = NonNullable<MessageInitShape<typeof CreateConsumerGroupRequestSchema>["start"]>;

const seconds = (value: number) => ({ seconds: BigInt(value), nanos: 0 });

const DEFAULTS = {
  partitions: 8,
  types: [],
  acknowledgeTimeout: seconds(30),
  retryPolicy: { maxAttempts: 10, backoff: [seconds(1), seconds(5), seconds(30)] },
  maxInFlightPerEntity: 1,
};
const CHOSEN = {
  partitions: 3,
  types: ["Placed", "Paid"],
  acknowledgeTimeout: { seconds: 1n, nanos: 500_000_000 },
  retryPolicy: { maxAttempts: 3, backoff: [{ seconds: 0n, nanos: 1_000 }, seconds(604_800)] },
  maxInFlightPerEntity: 20,
};
const NOT_FOUND = { code: "NotFound", reason: "GROUP_NOT_FOUND" };

/** Making consumer groups, looking at them, changing them. */
export function consumerGroupsContract(h: () => Harness): void {
  describe("CreateConsumerGroup", () => {
    it.overWire("fills in what is unset", async () => {
      const { consumerGroups } = await h().namespace();
      const { consumerGroup } = await consumerGroups.createConsumerGroup({
        consumerGroup: { consumerGroupId: "a:B.c_d-1", category: "orders" },
      });
      expect(consumerGroup).toMatchObject({ consumerGroupId: "a:B.c_d-1", category: "orders", ...DEFAULTS });
      expect(consumerGroup!.createTime).toBeDefined();
      expect(consumerGroup!.updateTime).toEqual(consumerGroup!.createTime);
      const status = await consumerGroups.getConsumerGroup({ consumerGroupId: "a:B.c_d-1" });
      expect(status.consumerGroup).toEqual(consumerGroup);
      expect(status.members).toEqual([]);
      expect(status.partitions).toMatchObject(
        upTo(8).map((partition) => ({
          partition,
          memberId: "",
          checkpoint: 0n,
          inFlight: 0n,
          retrying: 0n,
          parked: 0n,
          lag: 0n,
          lagIsMinimum: false,
        })),
      );
    });

    it.overWire("keeps what is set", async () => {
      const { consumerGroups } = await h().namespace();
      const createTime = timestampFromMs(0);
      const group = { consumerGroupId: "g", category: "orders", ...CHOSEN };
      const { consumerGroup } = await consumerGroups.createConsumerGroup({ consumerGroup: { ...group, createTime } });
      expect(consumerGroup).toMatchObject(group);
      expect(consumerGroup!.createTime).not.toEqual(createTime);
      const status = await consumerGroups.getConsumerGroup({ consumerGroupId: "g" });
      expect(status.consumerGroup).toEqual(consumerGroup);
      expect(status.partitions).toHaveLength(3);
    });

    it.overWire("answers a repeat with the group that is there, and refuses another one of its id", async () => {
      const { consumerGroups } = await h().namespace();
      const group = { consumerGroupId: "g", category: "orders", types: ["A", "B"] };
      const created = await consumerGroups.createConsumerGroup({ consumerGroup: group });
      const repeats: readonly Group[] = [group, { ...group, ...DEFAULTS, types: ["B", "A"] }];
      for (const consumerGroup of repeats) {
        const start = { case: "end", value: true } as const;
        expect(await consumerGroups.createConsumerGroup({ consumerGroup, start })).toEqual(created);
      }
      const others: readonly Group[] = [
        { category: "other" },
        { partitions: 7 },
        { types: ["A"] },
        { acknowledgeTimeout: seconds(29) },
        { retryPolicy: { maxAttempts: 9 } },
        { retryPolicy: { backoff: [seconds(1), seconds(5)] } },
        { maxInFlightPerEntity: 2 },
      ];
      for (const other of others) {
        const consumerGroup = { ...group, ...other };
        expect(await failureOf(consumerGroups.createConsumerGroup({ consumerGroup }))).toMatchObject({
          code: "AlreadyExists",
          reason: "GROUP_EXISTS",
        });
      }
    });

    it("called by many at once creates one", async () => {
      const { consumerGroups } = await h().namespace();
      const consumerGroup = { consumerGroupId: "g", category: "orders" };
      const created = await Promise.all(upTo(10).map(() => consumerGroups.createConsumerGroup({ consumerGroup })));
      for (const one of created) expect(one).toEqual(created[0]);
      expect((await consumerGroups.listConsumerGroups({})).consumerGroups).toHaveLength(1);
    });

    it("begins at the beginning, at a position, at a time, or at the end", async () => {
      const { consumerGroups, streams } = await h().namespace();
      await append(streams, "a-1", [0, 1]);
      await delay(20);
      const time = timestampFromMs(Date.now());
      await delay(20);
      const [third] = await append(streams, "a-2", [2]);
      const [fourth] = await append(streams, "a-3", [3]);
      await append(streams, "b-1", [4]);
      const starts: readonly (readonly [Start, lag: bigint, checkpoint: bigint])[] = [
        [{ case: undefined }, 4n, 0n],
        [{ case: "position", value: 0n }, 4n, 0n],
        [{ case: "position", value: third!.globalPosition }, 2n, third!.globalPosition - 1n],
        [{ case: "position", value: 1_000n }, 0n, 999n],
        [{ case: "time", value: timestampFromMs(0) }, 4n, 0n],
        [{ case: "time", value: time }, 2n, third!.globalPosition - 1n],
        [{ case: "time", value: timestampFromMs(Date.now() + 3_600_000) }, 0n, fourth!.globalPosition],
        [{ case: "end", value: true }, 0n, fourth!.globalPosition],
      ];
      for (const [index, [start, lag, checkpoint]] of starts.entries()) {
        const consumerGroupId = `g${index}`;
        await consumerGroups.createConsumerGroup({ consumerGroup: { consumerGroupId, category: "a" }, start });
        const status = await consumerGroups.getConsumerGroup({ consumerGroupId });
        expect([consumerGroupId, sumOf(status, "lag")]).toEqual([consumerGroupId, lag]);
        for (const partition of status.partitions) expect(partition.checkpoint).toBe(checkpoint);
      }
      const none = { consumerGroup: { consumerGroupId: "none", category: "none" } };
      await consumerGroups.createConsumerGroup({ ...none, start: { case: "end", value: true } });
      const { partitions } = await consumerGroups.getConsumerGroup({ consumerGroupId: "none" });
      expect(partitions.map(({ checkpoint }) => checkpoint)).toEqual(upTo(8).map(() => 0n));
    });

    it.overWire("names everything that is wrong, each field by its path", async () => {
      const { consumerGroups } = await h().namespace();
      const consumerGroup = {
        consumerGroupId: "-g",
        category: "a-1",
        types: ["ok", ""],
        acknowledgeTimeout: { seconds: 0n, nanos: 999_000_000 },
        retryPolicy: { maxAttempts: 1_001, backoff: [seconds(1), seconds(604_801), seconds(-1)] },
        maxInFlightPerEntity: 1_001,
      };
      expect(await failureOf(consumerGroups.createConsumerGroup({ consumerGroup }))).toMatchObject({
        code: "InvalidArgument",
        reason: "FIELD_INVALID",
        reasons: expect.arrayContaining(["NOT_A_CATEGORY"]),
        fields: [
          "consumer_group.consumer_group_id",
          "consumer_group.category",
          "consumer_group.types[1]",
          "consumer_group.acknowledge_timeout",
          "consumer_group.retry_policy.max_attempts",
          "consumer_group.retry_policy.backoff[1]",
          "consumer_group.retry_policy.backoff[2]",
          "consumer_group.max_in_flight_per_entity",
        ],
      });
      expect((await consumerGroups.listConsumerGroups({})).consumerGroups).toEqual([]);
    });

    it.overWire("names what breaks what the .proto declares", async () => {
      const { consumerGroups } = await h().namespace();
      const refused = { code: "InvalidArgument", reason: "FIELD_INVALID" };
      expect(await failureOf(consumerGroups.createConsumerGroup({}))).toMatchObject({
        ...refused,
        fields: ["consumer_group"],
      });
      const consumerGroup = {
        consumerGroupId: "g",
        category: "a",
        partitions: -1,
        retryPolicy: { maxAttempts: -1 },
        maxInFlightPerEntity: -1,
      };
      const start = { case: "end", value: false } as const;
      const failure = await failureOf(consumerGroups.createConsumerGroup({ consumerGroup, start }));
      expect(failure).toMatchObject(refused);
      expect(failure.fields.toSorted()).toEqual([
        "consumer_group.max_in_flight_per_entity",
        "consumer_group.partitions",
        "consumer_group.retry_policy.max_attempts",
        "end",
      ]);
    });
  });

  describe("ListConsumerGroups", () => {
    it.overWire("lists by id, bytewise, in pages, perhaps of one category only", async () => {
      const { consumerGroups } = await h().namespace();
      const ids = ["b", "B", "a1", "a", "a.", "a-", "_".padStart(2, "z")];
      for (const [index, consumerGroupId] of ids.entries())
        await consumerGroups.createConsumerGroup({ consumerGroup: { consumerGroupId, category: `c${index % 2}` } });
      const sorted = ids.toSorted((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
      for (const pageSize of [0, 1, 2, 7]) {
        expect(await listed(consumerGroups, { pageSize })).toEqual(sorted);
        expect(await listed(consumerGroups, { pageSize, category: "c1" })).toEqual(
          sorted.filter((id) => ids.indexOf(id) % 2 === 1),
        );
      }
      expect(await listed(consumerGroups, { category: "none" })).toEqual([]);
    });

    it("refuses the page token of another list", async () => {
      const { consumerGroups } = await h().namespace();
      for (const consumerGroupId of ["a", "b"])
        await consumerGroups.createConsumerGroup({ consumerGroup: { consumerGroupId, category: "c" } });
      const { nextPageToken: pageToken } = await consumerGroups.listConsumerGroups({ pageSize: 1 });
      const other = await h().namespace();
      const lists = [
        consumerGroups.listConsumerGroups({ pageToken, category: "c" }),
        other.consumerGroups.listConsumerGroups({ pageToken }),
        consumerGroups.listConsumerGroups({ pageToken: "x" }),
        consumerGroups.listParkedMessages({ consumerGroupId: "a", pageToken }),
      ];
      for (const failure of await Promise.all(lists.map((list) => failureOf(list))))
        expect(failure).toMatchObject({ code: "InvalidArgument", reason: "PAGE_TOKEN_INVALID" });
      expect(await failureOf(consumerGroups.listConsumerGroups({ category: "a-1" }))).toMatchObject({
        reason: "NOT_A_CATEGORY",
        fields: ["category"],
      });
    });
  });

  describe("UpdateConsumerGroup", () => {
    it.overWire.each([
      ["acknowledge_timeout", { acknowledgeTimeout: CHOSEN.acknowledgeTimeout }],
      ["retry_policy", { retryPolicy: CHOSEN.retryPolicy }],
      ["retry_policy.max_attempts", { retryPolicy: { ...DEFAULTS.retryPolicy, maxAttempts: 3 } }],
      ["retry_policy.backoff", { retryPolicy: { maxAttempts: 10, backoff: CHOSEN.retryPolicy.backoff } }],
      ["max_in_flight_per_entity", { maxInFlightPerEntity: 20 }],
    ])("changes %s and nothing else, and sets it back to its default", async (path, changed) => {
      const { groups } = await newGroup(h());
      const before = (await groups.getConsumerGroup({ consumerGroupId: GROUP_ID })).consumerGroup!;
      const update = async (values: Group) => {
        const consumerGroup = { consumerGroupId: GROUP_ID, ...values };
        const updated = await groups.updateConsumerGroup({ consumerGroup, updateMask: { paths: [path] } });
        expect((await groups.getConsumerGroup({ consumerGroupId: GROUP_ID })).consumerGroup).toEqual(
          updated.consumerGroup,
        );
        return updated.consumerGroup!;
      };
      const after = await update({ ...CHOSEN, category: "other" });
      expect(after).toMatchObject({ category: "a", ...DEFAULTS, ...changed, createTime: before.createTime });
      expect(after.updateTime).not.toEqual(before.updateTime);
      expect(await update({})).toMatchObject({ category: "a", ...DEFAULTS });
    });

    it.overWire("changes what may be changed, and only good values", async () => {
      const { groups } = await newGroup(h());
      const failure = (paths: string[], values: Group = {}) =>
        failureOf(
          groups.updateConsumerGroup({
            consumerGroup: { consumerGroupId: GROUP_ID, ...values },
            updateMask: { paths },
          }),
        );
      const refused = { code: "InvalidArgument", reason: "FIELD_INVALID" };
      for (const paths of [[], ["category"], ["partitions"], ["types"], ["retry_policy", "create_time"]])
        expect(await failure(paths)).toMatchObject({ ...refused, fields: ["update_mask"] });
      expect(
        await failure(["retry_policy.backoff", "nothing"], { retryPolicy: { backoff: [seconds(-1)] } }),
      ).toMatchObject({ ...refused, fields: ["update_mask", "consumer_group.retry_policy.backoff[0]"] });
      expect(await failure(["retry_policy"], { consumerGroupId: "none" })).toMatchObject(NOT_FOUND);
      expect(await failureOf(groups.updateConsumerGroup({}))).toMatchObject({
        ...refused,
        fields: ["consumer_group"],
      });
    });
  });

  describe("DeleteConsumerGroup", () => {
    it.overWire("forgets everything about the group", async () => {
      const { groups, streams } = await newGroup(h());
      await append(streams, "a-1", [1]);
      await groups.resetConsumerGroup({ consumerGroupId: GROUP_ID, start: { case: "end", value: true } });
      await groups.deleteConsumerGroup({ consumerGroupId: GROUP_ID });
      expect((await groups.listConsumerGroups({})).consumerGroups).toEqual([]);
      await groups.createConsumerGroup({ consumerGroup: { consumerGroupId: GROUP_ID, category: "a", partitions: 1 } });
      expect((await groups.getConsumerGroup({ consumerGroupId: GROUP_ID })).partitions).toMatchObject([
        { partition: 0, checkpoint: 0n, lag: 1n },
      ]);
    });
  });

  describe("ResetConsumerGroup", () => {
    it.overWire("moves every partition, forwards and back, and says where to", async () => {
      const { groups, streams, status } = await newGroup(h());
      const appended = [];
      for (const value of upTo(4)) appended.push(...(await append(streams, `a-${value}`, [value])));
      const [, , third, last] = appended.map(({ globalPosition }) => globalPosition);
      const moves: readonly (readonly [Start, position: bigint, lag: bigint])[] = [
        [{ case: "position", value: third! }, third!, 2n],
        [{ case: "end", value: true }, last! + 1n, 0n],
        [{ case: "time", value: timestampFromMs(0) }, 1n, 4n],
        [{ case: "position", value: 1_000n }, 1_000n, 0n],
        [{ case: undefined }, 1n, 4n],
      ];
      for (const [start, position, lag] of moves) {
        expect(await groups.resetConsumerGroup({ consumerGroupId: GROUP_ID, start })).toMatchObject({ position });
        const after = await status();
        expect(sumOf(after, "lag")).toBe(lag);
        for (const { checkpoint } of after.partitions) expect(checkpoint).toBe(position - 1n);
      }
    });
  });

  describe("a consumer group that is not there", () => {
    it.overWire("is GROUP_NOT_FOUND to every RPC; an id that cannot be one is FIELD_INVALID", async () => {
      const { consumerGroups: groups } = await h().namespace();
      await newGroup(h());
      const calls = (consumerGroupId: string) => [
        groups.getConsumerGroup({ consumerGroupId }),
        groups.deleteConsumerGroup({ consumerGroupId }),
        groups.resetConsumerGroup({ consumerGroupId }),
        groups.consume({ consumerGroupId }),
        groups.acknowledge({ consumerGroupId, epoch: 1n }),
        groups.reject({
          consumerGroupId,
          epoch: 1n,
          globalPositions: [1n],
          action: { case: "skip", value: {} },
        }),
        groups.listParkedMessages({ consumerGroupId }),
        groups.replayParkedMessages({ consumerGroupId, all: true }),
        groups.deleteParkedMessages({ consumerGroupId, globalPositions: [1n] }),
      ];
      const failures = (id: string) => Promise.all(calls(id).map((call) => failureOf(call)));
      for (const failure of await failures(GROUP_ID)) expect(failure).toMatchObject(NOT_FOUND);
      for (const id of ["", ".", "ä", "a b", "a/b", "x".repeat(101)]) {
        for (const failure of await failures(id)) {
          expect(failure).toMatchObject({
            code: "InvalidArgument",
            reason: "FIELD_INVALID",
            fields: ["consumer_group_id"],
          });
        }
      }
    });
  });
}

async function listed(
  groups: GroupClient,
  request: { readonly pageSize?: number; readonly category?: string },
): Promise<string[]> {
  const ids: string[] = [];
  let pageToken = "";
  do {
    const page = await groups.listConsumerGroups({ ...request, pageToken });
    ids.push(...page.consumerGroups.map(({ consumerGroupId }) => consumerGroupId));
    pageToken = page.nextPageToken;
  } while (pageToken !== "");
  return ids;
}
