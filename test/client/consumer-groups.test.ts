import { createRouterTransport } from "@connectrpc/connect";
import { expect, test } from "vitest";
import { SatchelClient } from "../../clients/typescript/src/client.ts";
import {
  ConsumerGroupService,
  type CreateConsumerGroupRequest,
} from "../../clients/typescript/src/gen/satchel/v1/consumer_groups_pb.ts";
import type { ConsumeFrame } from "../../clients/typescript/src/index.ts";
import { fakeGroup, FakeGroupServer } from "./fake-group-server.ts";
import { collect } from "./fake-server.ts";

const time = new Date("2026-01-02T03:04:05.006Z");
const wireTime = { seconds: 1_767_323_045n, nanos: 6_000_000 };

const GROUP = {
  consumerGroupId: "g",
  category: "order",
  partitions: 8,
  types: ["Placed"],
  acknowledgeTimeoutMs: 30_000,
  maxAttempts: 10,
  backoffMs: [1_500],
  maxInFlightPerEntity: 1,
  createTime: time,
  updateTime: time,
};

/** A client, and every request that it has sent. */
function recorded() {
  const requests: object[] = [];
  const answer =
    <T extends object>(response: T) =>
    (request: object): T => {
      requests.push(request);
      return response;
    };
  const partition = { partition: 1, epoch: 3n, checkpoint: 9n, inFlight: 1n, retrying: 2n, parked: 3n, lag: 4n };
  const parked = { globalPosition: 9n, partition: 1, attempts: 10, reason: "odd", parkTime: wireTime };
  const transport = createRouterTransport(({ service }) => {
    service(ConsumerGroupService, {
      createConsumerGroup: answer({ consumerGroup: fakeGroup() }),
      updateConsumerGroup: answer({ consumerGroup: fakeGroup() }),
      getConsumerGroup: answer({
        consumerGroup: fakeGroup(),
        members: [{ memberId: "m", memberName: "host", joinTime: wireTime }],
        partitions: [partition, { ...partition, memberId: "m", lagIsMinimum: true }],
      }),
      listConsumerGroups: ({ pageToken, ...request }) => {
        requests.push({ ...request, pageToken });
        return { consumerGroups: [fakeGroup()], nextPageToken: pageToken === "" ? "second" : "" };
      },
      deleteConsumerGroup: answer({}),
      resetConsumerGroup: answer({ position: 17n }),
      acknowledge: answer({ acknowledgedCount: 2n, checkpoint: 9n }),
      reject: answer({ rejectedCount: 2n, parkedGlobalPositions: [9n] }),
      listParkedMessages: answer({
        parkedMessages: [parked, { ...parked, message: { type: "Placed", globalPosition: 9n }, replaying: true }],
      }),
      replayParkedMessages: answer({ replayedCount: 2n }),
      deleteParkedMessages: answer({ deletedCount: 3n }),
    });
  });
  const { consumerGroups } = new SatchelClient(transport, {}, () => {});
  return { consumerGroups, requests };
}

test("create sends every setting, and leaves what is unset to the server", async () => {
  const { consumerGroups, requests } = recorded();
  const settings = { acknowledgeTimeoutMs: 1_500, maxAttempts: 3, backoffMs: [0, 250], maxInFlightPerEntity: 4 };
  const group = { category: "order", partitions: 4, types: ["Placed"], ...settings, start: { position: 7 } };
  expect(await consumerGroups.create("g", group)).toEqual(GROUP);
  await consumerGroups.create("g", { category: "order" });
  await consumerGroups.create("g", { category: "order", start: { time } });
  expect(requests[0]).toMatchObject({
    consumerGroup: {
      consumerGroupId: "g",
      category: "order",
      partitions: 4,
      types: ["Placed"],
      acknowledgeTimeout: { seconds: 1n, nanos: 500_000_000 },
      retryPolicy: { maxAttempts: 3, backoff: [{ seconds: 0n }, { nanos: 250_000_000 }] },
      maxInFlightPerEntity: 4,
    },
    start: { case: "position", value: 7n },
  });
  expect(requests[1]).toMatchObject({ consumerGroup: { partitions: 0, types: [] }, start: { case: undefined } });
  expect((requests[1] as CreateConsumerGroupRequest).consumerGroup?.acknowledgeTimeout).toBeUndefined();
  expect(requests[2]).toMatchObject({ start: { case: "time", value: wireTime } });
});

test("a group at work", async () => {
  const { consumerGroups } = recorded();
  const partition = { partition: 1, epoch: 3n, checkpoint: 9n, inFlight: 1n, retrying: 2n, parked: 3n, lag: 4n };
  expect(await consumerGroups.get("g")).toEqual({
    group: GROUP,
    members: [{ memberId: "m", memberName: "host", joinTime: time }],
    partitions: [
      { ...partition, memberId: undefined, lagIsMinimum: false },
      { ...partition, memberId: "m", lagIsMinimum: true },
    ],
  });
});

test("a list goes through all of its pages", async () => {
  const { consumerGroups, requests } = recorded();
  expect(await collect(consumerGroups.list({ category: "order", pageSize: 1 }))).toEqual([GROUP, GROUP]);
  expect(requests).toMatchObject([
    { category: "order", pageSize: 1, pageToken: "" },
    { category: "order", pageSize: 1, pageToken: "second" },
  ]);
});

test("an update names what it changes, and nothing else", async () => {
  const { consumerGroups, requests } = recorded();
  await consumerGroups.update("g", { maxAttempts: 5, acknowledgeTimeoutMs: undefined });
  await consumerGroups.update("g", { backoffMs: [10], maxInFlightPerEntity: 2 });
  expect(requests).toMatchObject([
    {
      consumerGroup: { consumerGroupId: "g", retryPolicy: { maxAttempts: 5 } },
      updateMask: { paths: ["acknowledge_timeout", "retry_policy.max_attempts"] },
    },
    { updateMask: { paths: ["retry_policy.backoff", "max_in_flight_per_entity"] } },
  ]);
});

test("deleting and resetting", async () => {
  const { consumerGroups, requests } = recorded();
  await consumerGroups.delete("g");
  expect(await consumerGroups.reset("g", { end: true })).toBe(17n);
  expect(requests).toMatchObject([
    { consumerGroupId: "g" },
    { consumerGroupId: "g", start: { case: "end", value: true } },
  ]);
});

test("parked messages, some of which are gone", async () => {
  const { consumerGroups, requests } = recorded();
  const parked = await collect(consumerGroups.listParkedMessages("g"));
  expect(parked).toMatchObject([
    { globalPosition: 9n, message: undefined, attempts: 10, reason: "odd", parkTime: time, replaying: false },
    { message: { type: "Placed", globalPosition: 9n }, replaying: true },
  ]);
  expect(await consumerGroups.replayParkedMessages("g", "all")).toBe(2n);
  expect(await consumerGroups.deleteParkedMessages("g", [9n])).toBe(3n);
  expect(requests.slice(1)).toMatchObject([
    { globalPositions: [], all: true },
    { globalPositions: [9n], all: false },
  ]);
});

test("settling by hand", async () => {
  const { consumerGroups, requests } = recorded();
  const lease = { partition: 1, epoch: 3n };
  const acknowledgement = { ...lease, upToSequence: 9n, inProgressGlobalPositions: [11n] };
  expect(await consumerGroups.acknowledge("g", acknowledgement)).toEqual({ acknowledgedCount: 2n, checkpoint: 9n });
  const rejection = { ...lease, globalPositions: [9n], action: "retry", reason: "why", delayMs: 2_000 } as const;
  expect(await consumerGroups.reject("g", rejection)).toEqual({ rejectedCount: 2n, parkedGlobalPositions: [9n] });
  expect(requests).toMatchObject([
    { ...lease, globalPositions: [], upToSequence: 9n, inProgressGlobalPositions: [11n] },
    { ...lease, globalPositions: [9n], reason: "why", action: { case: "retry", value: { delay: { seconds: 2n } } } },
  ]);
});

test("consume yields the frames of one call, and leaving the loop leaves the group", async () => {
  const server = new FakeGroupServer();
  const frames: ConsumeFrame[] = [];
  const consuming = (async () => {
    for await (const frame of server.client().consumerGroups.consume("g", { maxInFlight: 5 })) {
      frames.push(frame);
      if (frame.kind === "revoked") break;
    }
  })();
  await expect.poll(() => server.memberships.length).toBe(1);
  server.memberships[0]!.join().heartbeat().deliver({ position: 4, attempt: 2 }).leases("revoked", 1);
  await consuming;
  const lease = { partition: 0, epoch: 1n };
  expect(frames).toMatchObject([
    { kind: "joined", memberId: "m1", acknowledgeTimeoutMs: 30_000 },
    { kind: "assigned", partitions: [lease] },
    { kind: "heartbeat" },
    { kind: "deliveries", deliveries: [{ ...lease, attempt: 2, message: { globalPosition: 4n, time: new Date(0) } }] },
    { kind: "revoked", partitions: [lease] },
  ]);
  await expect.poll(() => server.memberships[0]!.left).toBe(true);
  expect(server.memberships[0]!.request.maxInFlight).toBe(5);
});

test("consume is not repeated", async () => {
  const server = new FakeGroupServer();
  server.failures.consume.push({ reason: "SHUTTING_DOWN" });
  const consuming = collect(server.client().consumerGroups.consume("g"));
  await expect(consuming).rejects.toMatchObject({ reason: "SHUTTING_DOWN" });
  expect(server.memberships).toEqual([]);
});
