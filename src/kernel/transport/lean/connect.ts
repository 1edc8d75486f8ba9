import { type JsonObject, type JsonValue, type JsonWriteOptions, create, toBinary, toJson } from "@bufbuild/protobuf";
import { base64Encode } from "@bufbuild/protobuf/wire";
import { Code, type ConnectError } from "@connectrpc/connect";
import { nameOfStatus } from "../../rpc/call.ts";
import type { Ending, Framing } from "./framing.ts";
import { addMetadata } from "./headers.ts";

type Json = Partial<JsonWriteOptions>;

/** Flag of the part of a body that says how a stream ended. */
const END = 0b0000_0010;

const TIMEOUT = /^\d{1,10}$/;

const HTTP_STATUS: Readonly<Record<Code, number>> = {
  [Code.Canceled]: 499,
  [Code.Unknown]: 500,
  [Code.InvalidArgument]: 400,
  [Code.DeadlineExceeded]: 504,
  [Code.NotFound]: 404,
  [Code.AlreadyExists]: 409,
  [Code.PermissionDenied]: 403,
  [Code.ResourceExhausted]: 429,
  [Code.FailedPrecondition]: 400,
  [Code.Aborted]: 409,
  [Code.OutOfRange]: 400,
  [Code.Unimplemented]: 501,
  [Code.Internal]: 500,
  [Code.Unavailable]: 503,
  [Code.DataLoss]: 500,
  [Code.Unauthenticated]: 401,
};

const COMMON = { protocol: "connect", trailer: {}, parseTimeout } as const;

export const CONNECT_STREAM: Framing = {
  ...COMMON,
  enveloped: true,
  headers: {
    encoding: "connect-content-encoding",
    acceptEncoding: "connect-accept-encoding",
    timeout: "connect-timeout-ms",
  },
  ok: streamEnd({}),
  end(trailer, error, json) {
    const end: JsonObject = {};
    if (error !== undefined) {
      end["error"] = errorJson(error, json);
      if (!error.isWireError) addMetadata(trailer, error.metadata);
    }
    const metadata = [...trailer].map(([name, value]): [string, JsonValue] => [name, [value]]);
    if (metadata.length > 0) end["metadata"] = Object.fromEntries(metadata);
    return streamEnd(end);
  },
};

/** Its trailers are headers, and `unaryError` its errors. */
export const CONNECT_UNARY: Framing = {
  ...COMMON,
  enveloped: false,
  headers: { encoding: "content-encoding", acceptEncoding: "accept-encoding", timeout: "connect-timeout-ms" },
  ok: {},
  end: () => ({}),
};

function streamEnd(end: JsonObject): Ending {
  return { envelope: { flags: END, data: Buffer.from(JSON.stringify(end)) } };
}

/** An error as the answer to a unary call: a status of HTTP and a body of JSON. Adds what it carries to the headers. */
export function unaryError(error: ConnectError, header: Headers, json: Json): { status: number; body: Uint8Array } {
  header.set("content-type", "application/json");
  if (!error.isWireError) addMetadata(header, error.metadata);
  return { status: HTTP_STATUS[error.code] ?? 500, body: Buffer.from(JSON.stringify(errorJson(error, json))) };
}

function errorJson({ code, rawMessage, details }: ConnectError, json: Json): JsonObject {
  return {
    code: codeName(code),
    ...(rawMessage === "" ? {} : { message: rawMessage }),
    ...(details.length === 0 ? {} : { details: details.map((detail) => detailJson(detail, json)) }),
  };
}

function detailJson(detail: ConnectError["details"][number], json: Json): JsonObject {
  if (!("desc" in detail)) return { ...detail, value: base64Encode(detail.value, "std_raw") };
  const message = create(detail.desc, detail.value);
  const value = base64Encode(toBinary(detail.desc, message), "std_raw");
  try {
    return { type: detail.desc.typeName, debug: toJson(detail.desc, message, json), value };
  } catch {
    // It is there for people, and a message that holds any other may have none.
    return { type: detail.desc.typeName, value };
  }
}

function codeName(code: Code): string {
  return code === Code.Canceled ? "canceled" : nameOfStatus(code).toLowerCase();
}

function parseTimeout(value: string): number | undefined {
  return TIMEOUT.test(value) ? Number(value) : undefined;
}
