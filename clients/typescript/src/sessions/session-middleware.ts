import { Code, ConnectError, type ContextValues, createContextKey, type Interceptor } from "@connectrpc/connect";
import { SatchelClientError } from "../core/errors.ts";
import type { LoginSession, TokenRefusal } from "./session-types.ts";
import type { Sessions, TokenValidation, ValidateOptions } from "./sessions.ts";

/** The part of a request of Node, Express or Fastify that is read. */
export interface HeaderCarrier {
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
}

/** The part of a response of Node or Express that is used. */
export interface ServerResponseLike {
  statusCode: number;
  setHeader(name: string, value: string): unknown;
  end(body: string): unknown;
}

/** The part of a Fastify reply that is used. */
export interface FastifyReplyLike {
  code(status: number): unknown;
  header(name: string, value: string): unknown;
  send(body: unknown): unknown;
}

/** What a request needs to be admitted. */
export interface SessionMiddlewareOptions extends Pick<ValidateOptions, "minAal" | "maxAuthenticationAgeMs" | "touch"> {
  /** The cookie with the token, for requests without `authorization: Bearer`. Unset: none. */
  readonly cookie?: string | undefined;
  /** True: admits requests without a token, without a session. A refused token is never admitted. */
  readonly optional?: boolean | undefined;
}

/** The session of an admitted request. */
export interface RequestSession {
  readonly session: LoginSession;
  /** The token, for `refresh` and `elevate`. */
  readonly token: string;
  /** True: the token has been replaced and is valid only during the grace period. Use its successor. */
  readonly superseded: boolean;
}

type Next = (error?: unknown) => void;
type Outcome = { readonly found: RequestSession | undefined } | { readonly refusal: TokenRefusal | "missing" };

const BEARER = /^bearer +([^ ]+) *$/i;
const SESSION = createContextKey<RequestSession | undefined>(undefined, { description: "satchel session" });

/**
 * Admits requests to a back end by their session tokens. Each request is validated, so that a revocation takes effect at
 * once. Answers 401 to a refused token, and 503 when it cannot be validated; neither request reaches a handler.
 */
export class SessionMiddleware {
  readonly #sessions: Pick<Sessions, "validate">;
  readonly #options: SessionMiddlewareOptions;
  readonly #found = new WeakMap<object, RequestSession>();

  constructor(sessions: Pick<Sessions, "validate">, options: SessionMiddlewareOptions = {}) {
    this.#sessions = sessions;
    this.#options = options;
  }

  /** The session of an admitted request of Express or Fastify, or of the `values` of a Connect handler's context. */
  of(request: object): RequestSession | undefined {
    return isContextValues(request) ? request.get(SESSION) : this.#found.get(request);
  }

  /** For `app.use` of Express, and of other frameworks that call `(request, response, next)`. */
  readonly express = async (request: HeaderCarrier, response: ServerResponseLike, next: Next): Promise<void> => {
    let answer: HttpAnswer | undefined;
    try {
      answer = await this.#admit(request, request.headers);
    } catch (error) {
      // Express 4 and others ignore a rejected promise.
      return next(error);
    }
    if (answer === undefined) return next();
    response.statusCode = answer.status;
    for (const [name, value] of Object.entries(answer.headers)) response.setHeader(name, value);
    response.end(JSON.stringify(answer.body));
  };

  /** For `addHook("onRequest", …)` of Fastify. */
  readonly fastify = async (request: HeaderCarrier, reply: FastifyReplyLike): Promise<unknown> => {
    const answer = await this.#admit(request, request.headers);
    if (answer === undefined) return undefined;
    reply.code(answer.status);
    for (const [name, value] of Object.entries(answer.headers)) reply.header(name, value);
    reply.send(answer.body);
    // Tells Fastify that the request has been answered.
    return reply;
  };

  /** For the `interceptors` of a Connect router. */
  readonly connect: Interceptor = (next) => async (request) => {
    const headers = {
      authorization: request.header.get("authorization") ?? undefined,
      cookie: request.header.get("cookie") ?? undefined,
    };
    const outcome = await this.#judge(headers).catch(() => {
      throw new ConnectError("sessions cannot be validated now", Code.Unavailable);
    });
    if ("refusal" in outcome)
      throw new ConnectError(`the session is refused: ${outcome.refusal}`, Code.Unauthenticated);
    request.contextValues.set(SESSION, outcome.found);
    return next(request);
  };

  /** Admits a request, or returns the answer that refuses it. */
  async #admit(request: object, headers: HeaderCarrier["headers"]): Promise<HttpAnswer | undefined> {
    try {
      const outcome = await this.#judge(headers);
      if ("refusal" in outcome) return unauthorized(outcome.refusal);
      if (outcome.found !== undefined) this.#found.set(request, outcome.found);
      return undefined;
    } catch (error) {
      if (!(error instanceof SatchelClientError)) throw error;
      return {
        status: 503,
        headers: { "content-type": "application/json", "retry-after": "1" },
        body: { error: "unavailable" },
      };
    }
  }

  async #judge(headers: HeaderCarrier["headers"]): Promise<Outcome> {
    const { cookie, optional = false, ...demands } = this.#options;
    const token = bearerOf(headers["authorization"]) ?? cookieOf(headers["cookie"], cookie);
    if (token === undefined) return optional ? { found: undefined } : { refusal: "missing" };
    const validation: TokenValidation = await this.#sessions.validate(token, demands);
    if (!validation.valid) return { refusal: validation.refusal };
    const { session, superseded } = validation;
    return { found: { session, token, superseded } };
  }
}

interface HttpAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: unknown;
}

/** The answer of RFC 6750, and of RFC 9470 for an insufficient authentication. */
function unauthorized(refusal: TokenRefusal | "missing"): HttpAnswer {
  const insufficient = refusal === "aal-too-low" || refusal === "authentication-too-old";
  const error = insufficient ? "insufficient_user_authentication" : "invalid_token";
  const challenge = refusal === "missing" ? "Bearer" : `Bearer error="${error}", error_description="${refusal}"`;
  return {
    status: 401,
    headers: { "content-type": "application/json", "www-authenticate": challenge },
    body: { error: refusal === "missing" ? "token_missing" : error, refusal },
  };
}

function bearerOf(header: string | readonly string[] | undefined): string | undefined {
  return typeof header === "string" ? BEARER.exec(header)?.[1] : undefined;
}

function cookieOf(header: string | readonly string[] | undefined, name: string | undefined): string | undefined {
  if (name === undefined || typeof header !== "string") return undefined;
  const pairs = header.split(";").map((pair) => pair.trim());
  const found = pairs.find((pair) => pair.startsWith(`${name}=`))?.slice(name.length + 1);
  return found === undefined || found === "" ? undefined : found;
}

function isContextValues(value: object): value is ContextValues {
  return (
    "get" in value && typeof value.get === "function" && "set" in value && "delete" in value && !("headers" in value)
  );
}
