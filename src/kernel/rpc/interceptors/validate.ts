import { create, type DescMessage, type DescService, type Message, type MessageShape } from "@bufbuild/protobuf";
import { createValidator } from "@bufbuild/protovalidate";
import type { Interceptor } from "@connectrpc/connect";
import type { Limits } from "../../limits.ts";
import { throwViolations } from "./violations.ts";

/** Throws FIELD_INVALID or LIMIT_EXCEEDED for a request that breaks a constraint declared in its .proto. */
export type RequestValidator = <Desc extends DescMessage>(schema: Desc, message: MessageShape<Desc>) => void;

/**
 * Makes the validator for the requests of these services. All of their rules are compiled now, so that the first calls
 * are not slow and a rule that is wrong stops the start.
 */
export function createRequestValidator(services: readonly DescService[], limits: Limits): RequestValidator {
  const validator = createValidator({ regexMatch });

  const validate: RequestValidator = (schema, message) => {
    const result = validator.validate(schema, message);
    if (result.kind === "error") throw result.error;
    if (result.kind === "invalid") throwViolations(schema, message, result.violations, limits);
  };

  for (const { input } of services.flatMap(({ methods }) => methods)) {
    const result = validator.validate(input, create(input));
    if (result.kind === "error") throw new Error(`the rules of ${input.typeName} are wrong`, { cause: result.error });
  }
  return validate;
}

/** Checks every request message against the constraints in its .proto before the handler sees it. */
export function validateInterceptor(services: readonly DescService[], limits: Limits): Interceptor {
  const validate = createRequestValidator(services, limits);
  return (next) => (request) => {
    const { input } = request.method;
    if (request.stream) return next({ ...request, message: validated(validate, input, request.message) });
    validate(input, request.message);
    return next(request);
  };
}

async function* validated(
  validate: RequestValidator,
  schema: DescMessage,
  messages: AsyncIterable<Message>,
): AsyncIterable<Message> {
  for await (const message of messages) {
    validate(schema, message);
    yield message;
  }
}

const PATTERNS = new Map<string, RegExp>();

/** Matches by Node's engine, which is much faster than the default; the patterns are our own, and simple. */
function regexMatch(pattern: string, text: string): boolean {
  const known = PATTERNS.get(pattern);
  const regex = known ?? new RegExp(pattern, "u");
  if (known === undefined) PATTERNS.set(pattern, regex);
  return regex.test(text);
}
