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
import { CredentialLooks } from "./credential-looks.ts";

/** Standard services, whose .proto files cannot carry our option; they are open to anyone. */
const PUBLIC_SERVICES: ReadonlySet<string> = new Set([
  "grpc.health.v1.Health",
  "grpc.reflection.v1.ServerReflection",
  "grpc.reflection.v1alpha.ServerReflection",
]);

const BEARER = /^bearer +([^ ]+) *$/i;

interface AccessOptions {
  /** Every RPC that the server answers. */
  readonly methods: readonly DescMethod[];
  /** Throws CREDENTIAL_INVALID, SESSION_EXPIRED, SESSION_REVOKED. `use`: a call begins, and does not just go on. */
  readonly authenticate: (token: string, use: boolean) => Promise<Principal>;
  readonly limits: Limits;
  /** How long a stream goes on before the next thing it says is preceded by another look at its credential. */
  readonly recheckMs: number;
}

type Admits = "anyone" | ((principal: Principal) => boolean);

/**
 * Lets in whom the access rule of the RPC admits, and says to the handler who it is. Throws, so that the server does
 * not start, when an RPC has no rule; an RPC that it has not been told of admits nobody.
 */
export function accessInterceptor({ methods, authenticate, limits, recheckMs }: AccessOptions): Interceptor {
  const looks = new CredentialLooks((token) => authenticate(token, false), recheckMs);
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
    return { ...response, message: whileAdmitted(response.message, { token, admitted, looks }) };
  };
}

interface Admission {
  readonly token: string;
  /** Throws ACCESS_DENIED. */
  readonly admitted: (holder: Principal) => Principal;
  readonly looks: CredentialLooks;
}

/** A stream outlives the look at its credential: it ends when that is revoked, or expires. */
function whileAdmitted(
  messages: StreamResponse["message"],
  { token, admitted, looks }: Admission,
): StreamResponse["message"] {
  let admittedMs = performance.now();
  const lookAgain = async <T>(message: T): Promise<T> => {
    const { begunMs, holder } = looks.latest(token);
    admitted(await holder);
    admittedMs = begunMs;
    return message;
  };
  return passing(messages, {
    pass: (message) => (looks.isRecent(admittedMs) ? message : lookAgain(message)),
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
        // Acting for a user, it must not reach what knows nothing of users: that would be everybody's.
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
