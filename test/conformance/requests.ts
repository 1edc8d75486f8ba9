import { type DescMessage, type MessageInitShape, create, toBinary, toJsonString } from "@bufbuild/protobuf";
import fc from "fast-check";
import { gzipSync } from "node:zlib";
import { GetLastStreamMessageRequestSchema, ReadMessagesRequestSchema } from "../../src/gen/satchel/v1/streams_pb.ts";
import { envelope } from "../support/raw.ts";
import type { RawRequest } from "./exchange.ts";

/** A call, before it is put into bytes. */
export interface CallOptions {
  readonly rpc: keyof typeof PATHS;
  readonly contentType: string;
  readonly script: string;
  readonly headers?: Readonly<Record<string, string | string[]>>;
  readonly encoding?: string;
  readonly accepted?: string;
  readonly timeout?: string;
  /** Compresses the message, whatever the headers say. */
  readonly gzip?: boolean;
  readonly flags?: number;
  /** What the head says beyond the truth. */
  readonly lie?: number;
  readonly spoil?: Spoil;
  /** In how many parts the body is sent. */
  readonly parts?: number;
  readonly cancel?: RawRequest["cancel"];
}

type Spoil = "none" | "truncated" | "headless" | "extra byte" | "twice" | "empty" | "garbage" | "bom" | "field";

export const MAX_REQUEST_BYTES = 65_536;

const PATHS = {
  unary: "/satchel.v1.StreamService/GetLastStreamMessage",
  stream: "/satchel.v1.StreamService/ReadMessages",
  health: "/grpc.health.v1.Health/Check",
  bidi: "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo",
  unimplemented: "/satchel.v1.StreamService/ListStreams",
  nothing: "/satchel.v1.StreamService/Nothing",
  query: "/satchel.v1.StreamService/GetLastStreamMessage?a=b",
} as const;

/** The headers of each protocol. */
const FIELDS = {
  grpc: { encoding: "grpc-encoding", accepted: "grpc-accept-encoding", timeout: "grpc-timeout" },
  connectUnary: { encoding: "content-encoding", accepted: "accept-encoding", timeout: "connect-timeout-ms" },
  connectStream: {
    encoding: "connect-content-encoding",
    accepted: "connect-accept-encoding",
    timeout: "connect-timeout-ms",
  },
} as const;

/** Puts a call into bytes. */
export function rawRequest(options: CallOptions): RawRequest {
  const { rpc, contentType, encoding, accepted, timeout, headers = {}, parts = 1, cancel } = options;
  const names = FIELDS[fieldsOf(contentType)];
  const named = {
    ...(encoding === undefined ? {} : { [names.encoding]: encoding }),
    ...(accepted === undefined ? {} : { [names.accepted]: accepted }),
    ...(timeout === undefined ? {} : { [names.timeout]: timeout }),
  };
  const body = bodyOf(options);
  const size = Math.max(1, Math.ceil(body.length / parts));
  const chunks = Array.from({ length: Math.ceil(body.length / size) }, (_, part) =>
    body.subarray(part * size, (part + 1) * size),
  );
  return {
    headers: {
      ":method": "POST",
      ":path": PATHS[rpc],
      "content-type": contentType,
      te: "trailers",
      ...named,
      ...headers,
    },
    chunks,
    ...(cancel === undefined ? {} : { cancel }),
  };
}

function fieldsOf(contentType: string): keyof typeof FIELDS {
  if (contentType.startsWith("application/grpc")) return "grpc";
  return contentType.startsWith("application/connect") ? "connectStream" : "connectUnary";
}

function bodyOf({ rpc, contentType, script, gzip = false, flags, lie = 0, spoil = "none" }: CallOptions): Buffer {
  const plain = spoilMessage(messageOf(rpc, contentType.includes("json"), script), spoil);
  const message = gzip ? gzipSync(plain) : plain;
  const enveloped = fieldsOf(contentType) !== "connectUnary";
  const one = enveloped
    ? envelope(message, { flags: flags ?? (gzip ? 1 : 0), length: Math.max(0, message.length + lie) })
    : message;
  return spoilBody(one, spoil);
}

function messageOf(rpc: CallOptions["rpc"], json: boolean, script: string): Buffer {
  if (rpc === "stream")
    return encode(ReadMessagesRequestSchema, { selector: { case: "streamName", value: script } }, json);
  if (rpc === "health" || rpc === "bidi") return Buffer.from(json ? "{}" : "");
  return encode(GetLastStreamMessageRequestSchema, { streamName: script }, json);
}

function encode<Desc extends DescMessage>(schema: Desc, init: MessageInitShape<Desc>, json: boolean): Buffer {
  const message = create(schema, init);
  return Buffer.from(json ? toJsonString(schema, message) : toBinary(schema, message));
}

function spoilMessage(message: Buffer, spoil: Spoil): Buffer {
  if (spoil === "garbage") return Buffer.concat([Buffer.from([0xff, 0xfe, 0x07]), message]);
  if (spoil === "bom") return Buffer.concat([Buffer.from([0xef, 0xbb, 0xbf]), message]);
  if (spoil === "field") return Buffer.from(message.toString("latin1").replace("{", '{"no_such":1,'), "latin1");
  return message;
}

function spoilBody(body: Buffer, spoil: Spoil): Buffer {
  switch (spoil) {
    case "truncated":
      return body.subarray(0, -1);
    case "headless":
      return body.subarray(0, 3);
    case "extra byte":
      return Buffer.concat([body, Buffer.of(0)]);
    case "twice":
      return Buffer.concat([body, body]);
    case "empty":
      return Buffer.alloc(0);
    default:
      return body;
  }
}

const GOOD_TYPES = {
  unary: [
    "application/grpc",
    "application/grpc+proto",
    "application/grpc-web",
    "application/grpc-web+proto",
    "application/proto",
    "application/json",
    "application/json; charset=utf-8",
  ],
  stream: [
    "application/grpc",
    "application/grpc+proto",
    "application/grpc-web",
    "application/grpc-web+proto",
    "application/connect+proto",
    "application/connect+json",
  ],
} as const;

/** Every ordinary way to call. */
export const WAYS: readonly (readonly [rpc: "unary" | "stream", contentType: string])[] = (
  ["unary", "stream"] as const
).flatMap((rpc) => GOOD_TYPES[rpc].map((contentType) => [rpc, contentType] as const));

const ODD_TYPES = [
  "application/grpc+json",
  "application/grpc-web+json",
  "application/grpc-web-text",
  "application/grpc+thrift",
  "application/GRPC",
  "application/json;charset=utf-8",
  "application/JSON",
  "application/xml",
  "text/plain",
  "",
];

export const CODES = [
  "Canceled",
  "Unknown",
  "InvalidArgument",
  "DeadlineExceeded",
  "NotFound",
  "AlreadyExists",
  "PermissionDenied",
  "ResourceExhausted",
  "FailedPrecondition",
  "Aborted",
  "OutOfRange",
  "Unimplemented",
  "Internal",
  "Unavailable",
  "DataLoss",
  "Unauthenticated",
];

const step = fc.oneof(
  fc.constantFrom(
    "caught c",
    "caught",
    "header a",
    "header b,c",
    "trailer t",
    "binary hello",
    "cookie a=1",
    "cookie b=2",
    "sleep 1",
    "throw",
    "bad",
    "type text/plain",
  ),
  fc.constantFrom(
    "send 0",
    "send 10",
    "send 1000",
    "send 20000",
    "send 40000",
    "shared",
    "encoded 10",
    "encoded 20000",
  ),
  fc.constantFrom(...CODES).map((code) => `fail ${code}`),
);

/** Steps that handlers take. */
const script = fc.array(step, { maxLength: 5 }).map((steps) => steps.join(";"));

const timeout = fc.constantFrom(
  "1S",
  "10000m",
  "1H",
  "99999999u",
  "0m",
  "5000",
  "20000",
  "0",
  "",
  "-1S",
  "1s",
  "123456789m",
  "99999999999",
  "1.5S",
  "abc",
);
const encoding = fc.constantFrom("identity", "gzip", "br", "deflate", "", "gzip, gzip", "GZIP");
const accepted = fc.constantFrom("gzip", "identity", "identity,deflate,gzip", "br, gzip", "br", "*", "", "gzip;q=0");
const metadata = fc.dictionary(
  fc.stringMatching(/^x-[a-z]{1,8}(-bin)?$/),
  fc.oneof(
    fc.stringMatching(/^[ -~]{0,40}$/).map((text) => text.trim()),
    fc.constantFrom(["a", "b"], "x".repeat(3_000), "AAEC"),
  ),
  { maxKeys: 3 },
);

function sometimes<T>(arbitrary: fc.Arbitrary<T>, weight: number): fc.Arbitrary<T | undefined> {
  return fc.option(arbitrary, { nil: undefined, freq: weight });
}

/** Any call, more often than not with something wrong about it. */
export const anyCall: fc.Arbitrary<CallOptions> = fc
  .record({
    way: fc.oneof(
      { weight: 8, arbitrary: fc.constantFrom(...WAYS) },
      {
        weight: 1,
        arbitrary: fc.tuple(
          fc.constantFrom("unary", "stream"),
          fc.constantFrom(...ODD_TYPES, ...GOOD_TYPES.stream, ...GOOD_TYPES.unary),
        ),
      },
    ),
    elsewhere: sometimes(fc.constantFrom("health", "bidi", "unimplemented", "nothing", "query"), 12),
    script,
    headers: metadata,
    encoding: sometimes(encoding, 3),
    accepted: sometimes(accepted, 2),
    timeout: sometimes(timeout, 3),
    gzip: fc.boolean(),
    flags: sometimes(fc.constantFrom(0, 1, 2, 3, 128, 129, 255), 6),
    lie: sometimes(fc.constantFrom(-1, 1, 100, MAX_REQUEST_BYTES, 2 ** 31), 8),
    spoil: fc.oneof(
      { weight: 3, arbitrary: fc.constant("none" as const) },
      {
        weight: 1,
        arbitrary: fc.constantFrom<Spoil>(
          "truncated",
          "headless",
          "extra byte",
          "twice",
          "empty",
          "garbage",
          "bom",
          "field",
        ),
      },
    ),
    parts: fc.constantFrom(1, 1, 1, 2, 5, 9),
  })
  .map(({ way: [rpc, contentType], elsewhere, encoding, accepted, timeout, flags, lie, gzip, ...rest }) => ({
    ...rest,
    rpc: elsewhere ?? rpc,
    contentType,
    // What is compressed is mostly said to be.
    gzip: gzip && encoding === "gzip",
    ...(encoding === undefined ? {} : { encoding }),
    ...(accepted === undefined ? {} : { accepted }),
    ...(timeout === undefined ? {} : { timeout }),
    ...(flags === undefined ? {} : { flags }),
    ...(lie === undefined ? {} : { lie }),
  }));
