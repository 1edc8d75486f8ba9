import { expect } from "vitest";
import { LIMITS } from "../../src/config/limits.ts";
import { wireName } from "../../src/kernel/limits.ts";
import { describe, it } from "../support/cases.ts";
import { failureOf } from "../support/failures.ts";
import { GROUP_ID, newGroup } from "../support/groups.ts";
import { type Harness, Role, ServerService } from "../support/harness.ts";
import { append, inCategory, message, readAll, upTo } from "../support/streams.ts";

/** Every limit: its maximum is taken, one more is refused by its name. */
export function limitsContract(h: () => Harness): void {
  function exceeded(limit: string, maximum: number, actual: number, field: string) {
    return {
      code: "ResourceExhausted",
      reason: "LIMIT_EXCEEDED",
      fields: [field],
      metadata: { limit, maximum: `${maximum}`, actual: `${actual}`, field },
    };
  }

  describe("a limit", () => {
    it.overWire("is listed with its value", async () => {
      const { limits } = await h().anyone(ServerService).getServerInfo({});
      const expected = Object.entries(LIMITS).map(([name, { description }]) => ({
        name: wireName(name as keyof typeof LIMITS),
        maximum: BigInt(h().limits[name as keyof typeof LIMITS]),
        description,
      }));
      expect(limits).toMatchObject(expected);
    });

    it.overWire("of a message's data and metadata", async () => {
      const { streams } = await h().namespace();
      const { maxMessageBytes: maximum } = h().limits;
      const data = (bytes: number) => JSON.stringify("x".repeat(bytes - 2));
      const metadata = (bytes: number) => JSON.stringify({ a: "x".repeat(bytes - 8) });
      await streams.appendMessages({
        streamName: "a-1",
        messages: [{ type: "T", data: data(maximum), metadata: metadata(maximum) }],
      });
      const tooLong = (more: object) =>
        streams.appendMessages({ streamName: "a-1", messages: [message(1), { type: "T", ...more }] });
      expect(await failureOf(tooLong({ data: data(maximum + 1) }))).toMatchObject(
        exceeded("max_message_bytes", maximum, maximum + 1, "messages[1].data"),
      );
      expect(await failureOf(tooLong({ metadata: metadata(maximum + 1) }))).toMatchObject(
        exceeded("max_message_bytes", maximum, maximum + 1, "messages[1].metadata"),
      );
      const umlauts = JSON.stringify("ä".repeat((maximum - 2) / 2));
      await streams.appendMessages({ streamName: "a-1", messages: [{ type: "T", data: umlauts }] });
      expect(await failureOf(tooLong({ data: JSON.stringify("ä".repeat(maximum / 2)) }))).toMatchObject(
        exceeded("max_message_bytes", maximum, maximum + 2, "messages[1].data"),
      );
      expect(
        await failureOf(
          tooLong({
            data: `[${upTo(100)
              .map(() => "1e15000")
              .join()}]`,
          }),
        ),
      ).toMatchObject({ reason: "LIMIT_EXCEEDED", fields: ["messages[1].data"] });
      expect(await streams.getStreamVersion({ streamName: "a-1" })).toMatchObject({ version: 1n });
    });

    it.overWire("of the messages of an append", async () => {
      const { streams } = await h().namespace();
      const { maxAppendMessages: maximum } = h().limits;
      const messages = (count: number) => upTo(count).map((value) => message(value));
      await streams.appendMessages({ streamName: "a-1", messages: messages(maximum) });
      expect(
        await failureOf(streams.appendMessages({ streamName: "a-1", messages: messages(maximum + 1) })),
      ).toMatchObject(exceeded("max_append_messages", maximum, maximum + 1, "messages"));
      await streams.appendToStreams({
        appends: [
          { streamName: "b-1", messages: messages(maximum - 1) },
          { streamName: "b-2", messages: messages(1) },
        ],
      });
      const several = streams.appendToStreams({
        appends: [
          { streamName: "b-1", messages: messages(maximum) },
          { streamName: "b-2", messages: messages(1) },
        ],
      });
      expect(await failureOf(several)).toMatchObject(exceeded("max_append_messages", maximum, maximum + 1, "appends"));
      expect(await failureOf(streams.appendMessages({ streamName: "a-1", messages: [] }))).toMatchObject({
        code: "InvalidArgument",
        reason: "FIELD_INVALID",
        fields: ["messages"],
      });
    });

    it("of the streams of an append", async () => {
      const { streams } = await h().namespace();
      const { maxAppendStreams: maximum } = h().limits;
      const appends = (count: number) =>
        upTo(count).map((index) => ({ streamName: `c${index}-1`, messages: [message(index)] }));
      expect((await streams.appendToStreams({ appends: appends(maximum) })).appends).toHaveLength(maximum);
      expect(await failureOf(streams.appendToStreams({ appends: appends(maximum + 1) }))).toMatchObject(
        exceeded("max_append_streams", maximum, maximum + 1, "appends"),
      );
      const refused = { code: "InvalidArgument", reason: "FIELD_INVALID" };
      expect(await failureOf(streams.appendToStreams({}))).toMatchObject({ ...refused, fields: ["appends"] });
      expect(await failureOf(streams.appendToStreams({ appends: [{ streamName: "a-1" }] }))).toMatchObject({
        ...refused,
        fields: ["appends[0].messages"],
      });
    });

    it("of the messages of a page", async () => {
      const { streams } = await h().namespace();
      const { maxBatchSize: maximum } = h().limits;
      for (const page of [
        (batchSize: number) => streams.getStreamMessages({ streamName: "a-1", batchSize }),
        (batchSize: number) => streams.getCategoryMessages({ category: "a", batchSize }),
      ]) {
        expect((await page(maximum)).messages).toEqual([]);
        expect(await failureOf(page(maximum + 1))).toMatchObject(
          exceeded("max_batch_size", maximum, maximum + 1, "batch_size"),
        );
        expect(await failureOf(page(-1))).toMatchObject({
          code: "InvalidArgument",
          reason: "FIELD_INVALID",
          fields: ["batch_size"],
        });
      }
    });

    it.overWire("of the items of a page of a list", async () => {
      const { id: namespaceId, streams, groups } = await newGroup(h());
      const { operator, limits } = h();
      const { maxPageSize: maximum } = limits;
      const lists = [
        (pageSize: number) => streams.listCategories({ pageSize }),
        (pageSize: number) => streams.listStreams({ pageSize }),
        (pageSize: number) => groups.listConsumerGroups({ pageSize }),
        (pageSize: number) => groups.listParkedMessages({ consumerGroupId: GROUP_ID, pageSize }),
        (pageSize: number) => operator.listNamespaces({ pageSize }),
        (pageSize: number) => operator.listTokens({ namespaceId, pageSize }),
      ];
      for (const list of lists) {
        await list(maximum);
        expect(await failureOf(list(maximum + 1))).toMatchObject(
          exceeded("max_page_size", maximum, maximum + 1, "page_size"),
        );
        expect(await failureOf(list(-1))).toMatchObject({
          code: "InvalidArgument",
          reason: "FIELD_INVALID",
          fields: ["page_size"],
        });
      }
    });

    it("of the types of a filter", async () => {
      const { streams } = await h().namespace();
      const { maxTypes: maximum } = h().limits;
      await append(streams, "a-1", [1], { type: "t7" });
      const reads = [
        async (types: string[]) => (await streams.getStreamMessages({ streamName: "a-1", types })).messages.length,
        async (types: string[]) => (await streams.getCategoryMessages({ category: "a", types })).messages.length,
        async (types: string[]) => (await readAll(streams, { selector: inCategory("a"), types })).messages.length,
      ];
      for (const read of reads) {
        expect(await read(upTo(maximum).map((index) => `t${index}`))).toBe(1);
        const failure = await failureOf(read(upTo(maximum + 1).map((index) => `t${index}`)));
        expect(failure).toMatchObject(exceeded("max_types", maximum, maximum + 1, "types"));
      }
    });

    it("of a consumer group's partitions, types and backoff", async () => {
      const { consumerGroups } = await h().namespace();
      const { maxConsumerGroupPartitions, maxTypes, maxBackoffSteps } = h().limits;
      const group = (partitions: number, types: number, steps: number) => ({
        consumerGroupId: "g",
        category: "a",
        partitions,
        types: upTo(types).map((index) => `t${index}`),
        retryPolicy: { backoff: upTo(steps).map((step) => ({ seconds: BigInt(step), nanos: 0 })) },
      });
      const create = (...more: readonly [number, number, number]) => {
        const [partitions, types, steps] = more;
        return consumerGroups.createConsumerGroup({
          consumerGroup: group(maxConsumerGroupPartitions + partitions, maxTypes + types, maxBackoffSteps + steps),
        });
      };
      const over = (limit: string, maximum: number, field: string) =>
        exceeded(limit, maximum, maximum + 1, `consumer_group.${field}`);
      expect(await failureOf(create(1, 0, 0))).toMatchObject(
        over("max_consumer_group_partitions", maxConsumerGroupPartitions, "partitions"),
      );
      expect(await failureOf(create(0, 1, 0))).toMatchObject(over("max_types", maxTypes, "types"));
      expect(await failureOf(create(0, 0, 1))).toMatchObject(
        over("max_backoff_steps", maxBackoffSteps, "retry_policy.backoff"),
      );
      const { consumerGroup } = await create(0, 0, 0);
      expect(consumerGroup).toMatchObject(group(maxConsumerGroupPartitions, maxTypes, maxBackoffSteps));
      const { partitions } = await consumerGroups.getConsumerGroup({ consumerGroupId: "g" });
      expect(partitions).toHaveLength(maxConsumerGroupPartitions);
      const update = consumerGroups.updateConsumerGroup({
        consumerGroup: group(0, 0, maxBackoffSteps + 1),
        updateMask: { paths: ["retry_policy"] },
      });
      expect(await failureOf(update)).toMatchObject(over("max_backoff_steps", maxBackoffSteps, "retry_policy.backoff"));
    });

    it("of the messages that a member may hold", async () => {
      const { groups, join } = await newGroup(h());
      const { maxInFlightMessages: maximum } = h().limits;
      await using _member = await join({ maxInFlight: maximum });
      const more = groups.consume({ consumerGroupId: GROUP_ID, maxInFlight: maximum + 1 });
      expect(await failureOf(more)).toMatchObject(
        exceeded("max_in_flight_messages", maximum, maximum + 1, "max_in_flight"),
      );
    });

    it("of the messages that are settled at once, and of the reason", async () => {
      const { groups, join } = await newGroup(h(), { partitions: 1 });
      await using member = await join();
      await member.holds(1);
      const { maxSettledMessages: maximum, maxReasonCharacters } = h().limits;
      const lease = { consumerGroupId: GROUP_ID, partition: 0, epoch: member.leases.get(0)! };
      const positions = (count: number) => upTo(count).map((index) => BigInt(index + 1));
      const action = { case: "park", value: {} } as const;
      const calls = [
        ["global_positions", (list: bigint[]) => groups.acknowledge({ ...lease, globalPositions: list })],
        [
          "in_progress_global_positions",
          (list: bigint[]) => groups.acknowledge({ ...lease, inProgressGlobalPositions: list }),
        ],
        ["global_positions", (list: bigint[]) => groups.reject({ ...lease, globalPositions: list, action })],
        [
          "global_positions",
          (list: bigint[]) => groups.replayParkedMessages({ consumerGroupId: GROUP_ID, globalPositions: list }),
        ],
        [
          "global_positions",
          (list: bigint[]) => groups.deleteParkedMessages({ consumerGroupId: GROUP_ID, globalPositions: list }),
        ],
      ] as const;
      for (const [field, call] of calls) {
        await call(positions(maximum));
        expect(await failureOf(call(positions(maximum + 1)))).toMatchObject(
          exceeded("max_settled_messages", maximum, maximum + 1, field),
        );
      }
      const reject = (reason: string) => groups.reject({ ...lease, globalPositions: [1n], action, reason });
      await reject("😀".repeat(maxReasonCharacters));
      expect(await failureOf(reject("x".repeat(maxReasonCharacters + 1)))).toMatchObject(
        exceeded("max_reason_characters", maxReasonCharacters, maxReasonCharacters + 1, "reason"),
      );
    });

    it("of a description", async () => {
      const { id: namespaceId } = await h().namespace();
      const { operator, limits } = h();
      const { maxDescriptionCharacters: maximum } = limits;
      const longest = "😀".repeat(maximum);
      const updateMask = { paths: ["description"] };
      expect(
        (await operator.updateNamespace({ namespace: { namespaceId, description: longest }, updateMask })).namespace
          ?.description,
      ).toBe(longest);
      expect(
        (await operator.createToken({ namespaceId, role: Role.READER, description: longest })).info?.description,
      ).toBe(longest);
      const description = `${longest}x`;
      const over = (field: string) => exceeded("max_description_characters", maximum, maximum + 1, field);
      expect(
        await failureOf(operator.updateNamespace({ namespace: { namespaceId, description }, updateMask })),
      ).toMatchObject(over("namespace.description"));
      expect(await failureOf(operator.createToken({ namespaceId, role: Role.READER, description }))).toMatchObject(
        over("description"),
      );
      expect(await failureOf(operator.createNamespace({ namespaceId: "too-long", description }))).toMatchObject(
        over("description"),
      );
      expect(await failureOf(operator.createNamespace({ namespaceId: "nul", description: "\u0000" }))).toMatchObject({
        reason: "FIELD_INVALID",
        fields: ["description"],
      });
    });

    it.overWire("is reported after what is plainly wrong", async () => {
      const { streams } = await h().namespace();
      const data = JSON.stringify("x".repeat(h().limits.maxMessageBytes));
      const failure = await failureOf(streams.appendMessages({ streamName: "a", messages: [{ type: "", data }] }));
      expect(failure).toMatchObject({
        code: "InvalidArgument",
        reasons: ["STREAM_NAME_INVALID", "FIELD_INVALID"],
        fields: ["stream_name", "messages[0].type", "messages[0].data"],
      });
    });
  });

  describe("what is wrong with a request", () => {
    it.overWire("is named all at once, each field by its path", async () => {
      const { streams } = await h().namespace();
      const failure = await failureOf(
        streams.appendToStreams({
          appends: [
            { streamName: "a-1", messages: [message(1), { id: "x", type: "", data: "{", metadata: "[]" }] },
            { streamName: "b", messages: [message(2)] },
          ],
        }),
      );
      expect(failure.code).toBe("InvalidArgument");
      expect(failure.fields).toEqual([
        "appends[0].messages[1].id",
        "appends[0].messages[1].type",
        "appends[0].messages[1].data",
        "appends[0].messages[1].metadata",
        "appends[1].stream_name",
      ]);
    });

    it("is named first where it breaks what the .proto declares", async () => {
      const { streams } = await h().namespace();
      const appends = [
        { streamName: "b" },
        { messages: [message(1)], expectation: { case: "expectedVersion", value: -2n } as const },
        { messages: [message(1)], expectation: { case: "streamExists", value: false } as const },
      ];
      expect(await failureOf(streams.appendToStreams({ appends }))).toMatchObject({
        code: "InvalidArgument",
        reason: "FIELD_INVALID",
        fields: ["appends[0].messages", "appends[1].expected_version", "appends[2].stream_exists"],
      });
    });

    it.overWire("is only counted when it is more than headers can carry", async () => {
      const { streams } = await h().namespace();
      const failure = await failureOf(
        streams.appendMessages({ streamName: "a-1", messages: upTo(1_000).map(() => ({ type: "", data: "{" })) }),
      );
      expect(failure).toMatchObject({ code: "InvalidArgument", reason: "FIELD_INVALID" });
      expect(failure.fields).toHaveLength(20);
      expect(failure.message).toContain("1999 more");
    });

    it.overWire("may be a hundred conflicts with the longest names", async () => {
      const { streams } = await h().namespace();
      const appends = upTo(100).map((index) => ({
        streamName: `c-${String(index).padStart(253, "x")}`,
        messages: [message(1)],
        expectation: { case: "expectedVersion", value: 5n } as const,
      }));
      const failure = await failureOf(streams.appendToStreams({ appends }));
      expect(failure.code).toBe("Aborted");
      expect(failure.facts.map((fact) => fact["stream_name"])).toEqual(appends.map(({ streamName }) => streamName));
    });
  });
}
