import type { DescMethod } from "@bufbuild/protobuf";
import { MethodOptions_IdempotencyLevel } from "@bufbuild/protobuf/wkt";
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { NamespaceService } from "../../src/gen/satchel/v1/namespaces_pb.ts";
import { ServerService } from "../../src/gen/satchel/v1/server_pb.ts";
import { SessionService } from "../../src/gen/satchel/v1/sessions_pb.ts";
import { StreamService } from "../../src/gen/satchel/v1/streams_pb.ts";

interface MethodConfig {
  readonly name: readonly { readonly service: string; readonly method?: string }[];
  readonly timeout?: string;
  readonly retryPolicy?: { readonly retryableStatusCodes: readonly string[] };
}

const FILE = new URL("../../docs/clients/service-config.json", import.meta.url);
const { methodConfig } = JSON.parse(readFileSync(FILE, "utf8")) as { methodConfig: readonly MethodConfig[] };
const METHODS = [StreamService, SessionService, NamespaceService, ServerService].flatMap(({ methods }) => methods);

/** What changes something, and yet may be repeated: appends by the ids of their messages, the others by their nature. */
const REPEATABLE_WRITES = new Set([
  "AppendMessages",
  "AppendToStreams",
  "TruncateStream",
  "SetRetention",
  "UpdateNamespace",
  "RevokeToken",
  "UpdateNamespace",
  "RevokeToken",
  "ValidateSession",
  "RefreshSession",
  "RotateSessionToken",
  "ElevateSession",
  "TouchSession",
  "RevokeSession",
  "RevokeUserSessions",
  "DeleteExpiredSessions",
]);

/** As gRPC looks it up: the method's own entry, or else its service's. */
function configOf({ name, parent }: DescMethod): MethodConfig | undefined {
  const named = (method: string | undefined) =>
    methodConfig.find((config) =>
      config.name.some((entry) => entry.service === parent.typeName && entry.method === method),
    );
  return named(name) ?? named(undefined);
}

describe.for(METHODS.map((method) => [method.name, method] as const))("%s", ([name, method]) => {
  test("is repeated where that is safe, and nowhere else", () => {
    const reads = method.idempotency === MethodOptions_IdempotencyLevel.NO_SIDE_EFFECTS;
    const retried = configOf(method)?.retryPolicy?.retryableStatusCodes ?? [];
    expect(retried).toEqual(reads || REPEATABLE_WRITES.has(name) ? ["UNAVAILABLE"] : []);
  });

  test("has a deadline, unless it streams", () => {
    expect(configOf(method)?.timeout).toBe(method.methodKind === "unary" ? "30s" : undefined);
  });
});

test("names no method twice, and none that does not exist", () => {
  const names = methodConfig.flatMap(({ name }) => name.map((entry) => `${entry.service}/${entry.method ?? ""}`));
  expect(new Set(names).size).toBe(names.length);
  const known = new Set(METHODS.flatMap(({ parent, name }) => [`${parent.typeName}/`, `${parent.typeName}/${name}`]));
  expect(names.filter((name) => !known.has(name))).toEqual([]);
});
