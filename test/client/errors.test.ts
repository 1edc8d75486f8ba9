import { expect, test } from "vitest";
import { SatchelClientError, toClientError } from "../../clients/typescript/src/core/errors.ts";
import { ErrorReason } from "../../clients/typescript/src/gen/satchel/v1/errors_pb.ts";
import { BadRequestSchema, Code, ConnectError, ErrorInfoSchema, wireError } from "./fake-server.ts";

test("a conflict names every stream, with versions as bigint", () => {
  const fact = (stream_name: string, expected_version: string, actual_version: string) => ({
    desc: ErrorInfoSchema,
    value: {
      reason: "VERSION_CONFLICT",
      domain: "satchel",
      metadata: { stream_name, expected_version, actual_version },
    },
  });
  const details = [fact("a-1", "9007199254740993", "5"), fact("ü-2", "stream_exists", "-1")];
  const error = toClientError(new ConnectError("conflict", Code.Aborted, undefined, details));
  expect(error).toBeInstanceOf(SatchelClientError);
  expect(error).toMatchObject({ reason: "VERSION_CONFLICT", code: "ABORTED", message: "conflict" });
  expect(error.conflicts).toEqual([
    { streamName: "a-1", expected: 9007199254740993n, actual: 5n },
    { streamName: "ü-2", expected: "stream_exists", actual: -1n },
  ]);
  expect(error.metadata).toMatchObject({ stream_name: "a-1" });
});

test("violations name fields", () => {
  const fieldViolations = [{ field: "messages[3].data", description: "is not JSON" }];
  const error = toClientError(
    new ConnectError("bad", Code.InvalidArgument, undefined, [
      { desc: ErrorInfoSchema, value: { reason: "NOT_JSON", domain: "satchel" } },
      { desc: BadRequestSchema, value: { fieldViolations } },
    ]),
  );
  expect(error).toMatchObject({ reason: "NOT_JSON", code: "INVALID_ARGUMENT", violations: fieldViolations });
  expect(error.conflicts).toEqual([]);
});

test("RetryInfo is in milliseconds", () => {
  const error = toClientError(wireError({ reason: "STORE_UNAVAILABLE", retryAfterMs: 2_500 }));
  expect(error).toMatchObject({ reason: "STORE_UNAVAILABLE", code: "UNAVAILABLE", retryAfterMs: 2_500 });
});

test("every reason of the server is known", () => {
  for (const reason of Object.keys(ErrorReason)) {
    expect(toClientError(wireError({ reason })).reason).toBe(reason);
  }
});

test("a reason that is newer than the client is UNKNOWN, and can be read", () => {
  const error = toClientError(wireError({ code: Code.NotFound, reason: "MOON_NOT_FOUND", metadata: { id: "1" } }));
  expect(error).toMatchObject({ reason: "UNKNOWN", code: "NOT_FOUND" });
  expect(error.facts).toEqual([{ reason: "MOON_NOT_FOUND", metadata: { id: "1" } }]);
  expect(toClientError(wireError({ reason: "toString" })).reason).toBe("UNKNOWN");
});

test("an ErrorInfo of another domain is not Satchel's", () => {
  const info = { desc: ErrorInfoSchema, value: { reason: "VERSION_CONFLICT", domain: "example.com" } };
  const error = toClientError(new ConnectError("no", Code.NotFound, undefined, [info]));
  expect(error).toMatchObject({ reason: "UNKNOWN", code: "NOT_FOUND", facts: [] });
});

test("a call that its caller cancelled is CANCELLED, with the caller's reason", () => {
  const why = new Error("enough");
  const error = toClientError(new ConnectError("", Code.Canceled), AbortSignal.abort(why));
  expect(error).toMatchObject({ reason: "CANCELLED", code: "CANCELLED", cause: why });
});

test("a fault of the program is not taken for one of the network", () => {
  expect(toClientError(new TypeError("x is not a function"))).toMatchObject({ reason: "UNKNOWN" });
});
