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
import { SatchelError } from "../../src/errors.ts";
import { Role } from "../../src/gen/satchel/options/v1/access_pb.ts";
import {
  CreateNamespaceRequestSchema,
  CreateTokenRequestSchema,
  ListNamespacesRequestSchema,
  NamespaceService,
  UpdateNamespaceRequestSchema,
} from "../../src/gen/satchel/v1/namespaces_pb.ts";
import {
  AppendMessagesRequestSchema,
  AppendToStreamsRequestSchema,
  GetCategoryMessagesRequestSchema,
  ListStreamsRequestSchema,
  ReadMessagesRequestSchema,
  StreamService,
} from "../../src/gen/satchel/v1/streams_pb.ts";
import { createRequestValidator, validateInterceptor } from "../../src/rpc/interceptors/validate.ts";

const validate = createRequestValidator([StreamService, NamespaceService]);

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
      ["batch_size: must be greater than or equal to 0"],
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
      ["prefix: must be at most 255 bytes", "page_size: must be greater than or equal to 0"],
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
    ["no role", CreateTokenRequestSchema, {}, ["role: value is required"]],
    [
      "an unknown role",
      CreateTokenRequestSchema,
      { role: 9 as Role },
      ["role: value must be one of the defined enum values"],
    ],
  ] as const)("%s", (_label, schema, init, problems) => {
    expect(problemsOf<DescMessage>(schema, init)).toEqual(problems);
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
    { router: { interceptors: [asConnectError, validateInterceptor([StreamService])] } },
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
