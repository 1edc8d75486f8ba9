import { create, type DescMessage, type MessageInitShape } from "@bufbuild/protobuf";
import {
  type Client,
  Code,
  ConnectError,
  createClient,
  createRouterTransport,
  type Interceptor,
} from "@connectrpc/connect";
import { describe, expect, test } from "vitest";
import { DEFAULT_LIMITS } from "../../src/config/limits.ts";
import { Role } from "../../src/gen/satchel/options/v1/access_pb.ts";
import {
  ConsumerGroupService,
  CreateConsumerGroupRequestSchema,
  UpdateConsumerGroupRequestSchema,
} from "../../src/gen/satchel/v1/consumer_groups_pb.ts";
import {
  CreateNamespaceRequestSchema,
  CreateTokenRequestSchema,
  ListNamespacesRequestSchema,
  NamespaceService,
  UpdateNamespaceRequestSchema,
} from "../../src/gen/satchel/v1/namespaces_pb.ts";
import { CreateSessionRequestSchema, SessionService } from "../../src/gen/satchel/v1/sessions_pb.ts";
import {
  AppendMessagesRequestSchema,
  AppendToStreamsRequestSchema,
  GetCategoryMessagesRequestSchema,
  ListStreamsRequestSchema,
  ReadMessagesRequestSchema,
  StreamService,
} from "../../src/gen/satchel/v1/streams_pb.ts";
import { SatchelError } from "../../src/kernel/errors.ts";
import { createRequestValidator, validateInterceptor } from "../../src/kernel/rpc/interceptors/validate.ts";

const validate = createRequestValidator(
  [StreamService, NamespaceService, SessionService, ConsumerGroupService],
  DEFAULT_LIMITS,
);

/** What is wrong with a request, as `field: description` each. */
function problemsOf<Desc extends DescMessage>(schema: Desc, init: MessageInitShape<Desc>): readonly string[] {
  try {
    validate(schema, create(schema, init));
    return [];
  } catch (error) {
    if (!(error instanceof SatchelError && error.reason === "FIELD_INVALID")) throw error;
    return error.violations.map(({ field, description }) => `${field}: ${description}`);
  }
}

/** Stands in for the interceptor that puts errors on the wire. */
const asConnectError: Interceptor = (next) => async (request) => {
  try {
    const response = await next(request);
    return response.stream ? { ...response, message: translated(response.message) } : response;
  } catch (error) {
    throw connectError(error);
  }
};

async function* translated<T>(messages: AsyncIterable<T>): AsyncIterable<T> {
  try {
    yield* messages;
  } catch (error) {
    throw connectError(error);
  }
}

function connectError(error: unknown): unknown {
  return error instanceof SatchelError
    ? new ConnectError(`${error.reason} ${error.message}`, Code.InvalidArgument)
    : error;
}

const message = { type: "Deposited" };
const inOneHour = { seconds: BigInt(Math.floor(Date.now() / 1_000) + 3_600) };

describe("requests as they should be are let through", () => {
  test.each([
    ["one message", AppendMessagesRequestSchema, { messages: [message] }],
    ["1,000 messages", AppendMessagesRequestSchema, { messages: Array.from({ length: 1_000 }, () => message) }],
    [
      "no stream expected",
      AppendMessagesRequestSchema,
      { messages: [message], expectation: { case: "expectedVersion", value: -1n } },
    ],
    [
      "a stream expected",
      AppendMessagesRequestSchema,
      { messages: [message], expectation: { case: "streamExists", value: true } },
    ],
    ["a category read with the defaults", GetCategoryMessagesRequestSchema, { category: "account" }],
    ["the greatest batch", GetCategoryMessagesRequestSchema, { category: "account", batchSize: 10_000 }],
    ["a read of all", ReadMessagesRequestSchema, { selector: { case: "all", value: true } }],
    ["a namespace", CreateNamespaceRequestSchema, { namespaceId: "a-1_b", description: "ü".repeat(1_000) }],
    ["a token that expires", CreateTokenRequestSchema, { namespaceId: "a", role: Role.READER, expireTime: inOneHour }],
    [
      "a change",
      UpdateNamespaceRequestSchema,
      { namespace: { namespaceId: "a" }, updateMask: { paths: ["description"] } },
    ],
  ] as const)("%s", (_label, schema, init) => {
    expect(problemsOf<DescMessage>(schema, init)).toEqual([]);
  });
});

describe("a request that breaks a constraint is refused with the path of the field", () => {
  test.each([
    ["no message", AppendMessagesRequestSchema, {}, ["messages: must contain at least 1 item(s)"]],
    [
      "a version below -1",
      AppendMessagesRequestSchema,
      { messages: [message], expectation: { case: "expectedVersion", value: -2n } },
      ["expected_version: must be greater than or equal to -1"],
    ],
    [
      "stream_exists = false",
      AppendMessagesRequestSchema,
      { messages: [message], expectation: { case: "streamExists", value: false } },
      ["stream_exists: must equal true"],
    ],
    [
      "appends of nothing",
      AppendToStreamsRequestSchema,
      { appends: [{ messages: [message] }, {}, {}] },
      ["appends[1].messages: must contain at least 1 item(s)", "appends[2].messages: must contain at least 1 item(s)"],
    ],
    ["no append", AppendToStreamsRequestSchema, {}, ["appends: must contain at least 1 item(s)"]],
    [
      "a batch below 0",
      GetCategoryMessagesRequestSchema,
      { batchSize: -1 },
      ["batch_size: must be greater than or equal to 0 and less than or equal to 10000"],
    ],
    ["no selector", ReadMessagesRequestSchema, {}, ["selector: exactly one field is required in oneof"]],
    [
      "all = false, and a negative limit",
      ReadMessagesRequestSchema,
      { selector: { case: "all", value: false }, limit: -1n },
      ["all: must equal true", "limit: must be greater than or equal to 0"],
    ],
    [
      "a page below 0, and a prefix too long",
      ListStreamsRequestSchema,
      { pageSize: -1, prefix: "ü".repeat(128) },
      [
        "prefix: must be at most 255 bytes",
        "page_size: must be greater than or equal to 0 and less than or equal to 1000",
      ],
    ],
    [
      "a prefix that no id has",
      ListNamespacesRequestSchema,
      { prefix: "x".repeat(41) },
      ["prefix: must be at most 40 bytes"],
    ],
    [
      "an id in capitals",
      CreateNamespaceRequestSchema,
      { namespaceId: "Acme" },
      ["namespace_id: does not match regex pattern `^[a-z0-9][a-z0-9_-]{0,39}$`"],
    ],
    [
      "an id with a line feed",
      CreateNamespaceRequestSchema,
      { namespaceId: "acme\n" },
      ["namespace_id: does not match regex pattern `^[a-z0-9][a-z0-9_-]{0,39}$`"],
    ],
    ["no change", UpdateNamespaceRequestSchema, {}, ["namespace: value is required", "update_mask: value is required"]],
    [
      "an empty mask",
      UpdateNamespaceRequestSchema,
      { namespace: {}, updateMask: {} },
      ["update_mask: must name at least one field"],
    ],
    [
      "a mask of what cannot change",
      UpdateNamespaceRequestSchema,
      { namespace: {}, updateMask: { paths: ["state"] } },
      ["update_mask: must only contain paths in [description]"],
    ],
    ["no role", CreateTokenRequestSchema, { namespaceId: "a" }, ["role: value is required"]],
    [
      "an unknown role",
      CreateTokenRequestSchema,
      { namespaceId: "a", role: 9 as Role },
      ["role: value must be one of the defined enum values"],
    ],
  ] as const)("%s", (_label, schema, init, problems) => {
    expect(problemsOf<DescMessage>(schema, init)).toEqual(problems);
  });
});

describe("a request that breaks a constraint is refused with the reason of the field", () => {
  function refusal<Desc extends DescMessage>(schema: Desc, init: MessageInitShape<Desc>): unknown {
    try {
      validate(schema, create(schema, init));
    } catch (error) {
      if (error instanceof SatchelError) return { code: error.code, facts: error.facts };
      throw error;
    }
    return undefined;
  }

  function exceeded(limit: string, maximum: number, actual: number, field: string) {
    const metadata = { limit, maximum: `${maximum}`, actual: `${actual}`, field };
    return { code: "RESOURCE_EXHAUSTED", facts: [{ reason: "LIMIT_EXCEEDED", metadata }] };
  }

  test.each([
    ["items", { types: Array.from({ length: 101 }, () => "T") }, exceeded("max_types", 100, 101, "types")],
    ["a number", { batchSize: 10_001 }, exceeded("max_batch_size", 10_000, 10_001, "batch_size")],
  ] as const)("too many %s", (_label, init, expected) => {
    expect(refusal(GetCategoryMessagesRequestSchema, init)).toEqual(expected);
  });

  test("too many characters, and too many bytes", () => {
    const userId = "😀".repeat(513);
    expect(refusal(CreateSessionRequestSchema, { userId })).toEqual(
      exceeded("max_user_id_characters", 512, 513, "user_id"),
    );
    expect(refusal(CreateSessionRequestSchema, { userId: "u", deviceId: "ü".repeat(128) })).toEqual(
      exceeded("max_device_id_bytes", 255, 256, "device_id"),
    );
  });

  test("a limit counts after what is plainly wrong, and not for the items of the field", () => {
    const types = ["T".repeat(256), ...Array.from({ length: 100 }, () => "T")];
    expect(refusal(GetCategoryMessagesRequestSchema, { types, batchSize: 10_001 })).toEqual({
      code: "INVALID_ARGUMENT",
      facts: [{ reason: "FIELD_INVALID", metadata: {} }],
    });
  });

  test("a category that is none", () => {
    const consumerGroup = { consumerGroupId: "g", category: "a-1" };
    expect(refusal(CreateConsumerGroupRequestSchema, { consumerGroup })).toEqual({
      code: "INVALID_ARGUMENT",
      facts: [{ reason: "NOT_A_CATEGORY", metadata: {} }],
    });
  });

  test("NUL is named in words", () => {
    expect(problemsOf(CreateSessionRequestSchema, { userId: "a\u0000" })).toEqual([
      "user_id: contains substring `NUL`",
    ]);
  });
});

describe("a field that the update mask does not name", () => {
  const consumerGroup = {
    consumerGroupId: "g",
    maxInFlightPerEntity: 1_001,
    retryPolicy: { maxAttempts: 1_001, backoff: [{ seconds: -1n }] },
  };

  test.each([
    [["acknowledge_timeout"], []],
    [["max_in_flight_per_entity"], ["consumer_group.max_in_flight_per_entity"]],
    [["retry_policy.backoff"], ["consumer_group.retry_policy.backoff[0]"]],
    [["retry_policy"], ["consumer_group.retry_policy.max_attempts", "consumer_group.retry_policy.backoff[0]"]],
  ])("is not looked at: %j", (paths, fields) => {
    const problems = problemsOf(UpdateConsumerGroupRequestSchema, { consumerGroup, updateMask: { paths } });
    expect(problems.map((problem) => problem.split(":")[0])).toEqual(fields);
  });

  test("is not looked at when the mask itself is wrong, which is named first", () => {
    const updateMask = { paths: ["nothing", "retry_policy.max_attempts"] };
    const problems = problemsOf(UpdateConsumerGroupRequestSchema, { consumerGroup, updateMask });
    expect(problems.map((problem) => problem.split(":")[0])).toEqual([
      "update_mask",
      "consumer_group.retry_policy.max_attempts",
    ]);
  });
});

test("an error names at most 20 violations and says how many there are", () => {
  const request = create(AppendToStreamsRequestSchema, { appends: Array.from({ length: 100 }, () => ({})) });
  expect(() => validate(AppendToStreamsRequestSchema, request)).toThrow(
    "appends[0].messages: must contain at least 1 item(s) (and 99 more problems)",
  );
  expect(problemsOf(AppendToStreamsRequestSchema, request)).toHaveLength(20);
});

describe("the interceptor", () => {
  let handled = 0;
  const transport = createRouterTransport(
    (router) => {
      router.rpc(StreamService.method.appendMessages, () => ({ messages: [{ position: BigInt(++handled) }] }));
      router.rpc(StreamService.method.readMessages, async function* () {
        yield { frame: { case: "caughtUp", value: { position: BigInt(++handled) } } } as const;
      });
    },
    { router: { interceptors: [asConnectError, validateInterceptor([StreamService], DEFAULT_LIMITS)] } },
  );
  const client: Client<typeof StreamService> = createClient(StreamService, transport);

  test("lets a good unary call and a good stream reach their handlers", async () => {
    handled = 0;
    await client.appendMessages({ streamName: "a-1", messages: [message] });
    for await (const _frame of client.readMessages({ selector: { case: "all", value: true } })) handled++;
    expect(handled).toBe(3);
  });

  test("stops a bad unary call before its handler", async () => {
    handled = 0;
    await expect(client.appendMessages({ streamName: "a-1" })).rejects.toThrow("FIELD_INVALID messages");
    expect(handled).toBe(0);
  });

  test("stops a bad stream before its handler", async () => {
    handled = 0;
    await expect(Array.fromAsync(client.readMessages({}))).rejects.toThrow("FIELD_INVALID selector");
    expect(handled).toBe(0);
  });
});
