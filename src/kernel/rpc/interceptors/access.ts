import { type DescMethod, getOption, hasOption } from "@bufbuild/protobuf";
import type { Interceptor, StreamResponse } from "@connectrpc/connect";
import { access } from "../../../gen/satchel/options/v1/access_pb.ts";
import { SatchelError } from "../../errors.ts";
import type { Limits } from "../../limits.ts";
import type { Principal } from "../../principal.ts";
import { roleIncludes } from "../../role.ts";
import { actingFor } from "../acting-for.ts";
import { credentialInvalid } from "../authenticate.ts";
import { callKey } from "../call.ts";
import { roleOf } from "../fields.ts";
import { passing } from "../map-stream.ts";
import { accessDenied, PRINCIPAL } from "../principal.ts";
import { CredentialChecks } from "./credential-checks.ts";

/** Standard services: open to anyone, since their .proto files cannot have our option. */
const PUBLIC_SERVICES: ReadonlySet<string> = new Set([
  "grpc.health.v1.Health",
  "grpc.reflection.v1.ServerReflection",
  "grpc.reflection.v1alpha.ServerReflection",
]);

const BEARER = /^bearer +([^ ]+) *$/i;

interface AccessOptions {
  /** Every RPC of the server. */
  readonly methods: readonly DescMethod[];
  /** Throws CREDENTIAL_INVALID, SESSION_EXPIRED, SESSION_REVOKED. `use`: true when a call begins, false while it goes on. */
  readonly authenticate: (token: string, use: boolean) => Promise<Principal>;
  readonly limits: Limits;
  /** The greatest age of the check of its credential at which a stream sends a message. */
  readonly recheckMs: number;
}

type Admits = "anyone" | ((principal: Principal) => boolean);

/**
 * Refuses callers that the access rule of the RPC does not admit, and passes the principal on to the handler. Throws when
 * an RPC has no rule, so that the server does not start. An RPC that is not among `methods` admits nobody.
 */
export function accessInterceptor({ methods, authenticate, limits, recheckMs }: AccessOptions): Interceptor {
  const checks = new CredentialChecks((token) => authenticate(token, false), recheckMs);
  const rules = new Map(methods.map((method) => [method, ruleOf(method)]));
  return (next) => async (request) => {
    const admits = rules.get(request.method) ?? admitsNobody;
    if (admits === "anyone") return next(request);
    const token = bearerToken(request.header);
    const admitted = (holder: Principal): Principal => {
      const principal = holder.kind === "service" ? actingFor(holder, request.header, limits) : holder;
      if (!admits(principal)) throw accessDenied();
      return principal;
    };
    const principal = admitted(await authenticate(token, true));
    request.contextValues.set(PRINCIPAL, principal);
    const call = request.contextValues.get(callKey);
    if (call !== undefined && "namespaceId" in principal) call.namespaceId = principal.namespaceId;
    const response = await next(request);
    if (!response.stream) return response;
    return { ...response, message: whileAdmitted(response.message, { token, admitted, checks }) };
  };
}

interface Admission {
  readonly token: string;
  /** Throws ACCESS_DENIED. */
  readonly admitted: (holder: Principal) => Principal;
  readonly checks: CredentialChecks;
}

/** Before a message goes out, the credential is checked again if the last check is too old. A stream ends when it is not valid any more. */
function whileAdmitted(
  messages: StreamResponse["message"],
  { token, admitted, checks }: Admission,
): StreamResponse["message"] {
  let checkedMs = performance.now();
  const checkAgain = async <T>(message: T): Promise<T> => {
    const { begunMs, principal } = checks.latest(token);
    admitted(await principal);
    checkedMs = begunMs;
    return message;
  };
  return passing(messages, {
    pass: (message) => (checks.isRecent(checkedMs) ? message : checkAgain(message)),
  });
}

function ruleOf(method: DescMethod): Admits {
  if (PUBLIC_SERVICES.has(method.parent.typeName)) return "anyone";
  if (!hasOption(method, access))
    throw new Error(`the RPC ${method.parent.typeName}/${method.name} has no access rule`);
  const { anyone, operator, service, user, onBehalf } = getOption(method, access);
  if (anyone) return "anyone";
  const leastRole = roleOf(service);
  return (principal) => {
    switch (principal.kind) {
      case "anyone":
        return false;
      case "operator":
        return operator;
      case "user":
        return user;
      case "service":
        // An RPC without users would give a service that acts for one user the data of all.
        if (principal.userId !== undefined && !user && !onBehalf) return false;
        return leastRole !== undefined && roleIncludes(principal.role, leastRole);
    }
  };
}

function admitsNobody(): boolean {
  return false;
}

function bearerToken(header: Headers): string {
  const credential = header.get("authorization");
  if (credential === null)
    throw new SatchelError("CREDENTIAL_MISSING", "this RPC needs a credential: authorization: Bearer <token>");
  const token = BEARER.exec(credential)?.[1];
  if (token === undefined) throw credentialInvalid();
  return token;
}
