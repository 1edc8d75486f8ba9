import { create, type DescMessage, type DescService, type Message, type MessageShape } from "@bufbuild/protobuf";
import { pathToString } from "@bufbuild/protobuf/reflect";
import { createValidator, type Violation } from "@bufbuild/protovalidate";
import type { Interceptor } from "@connectrpc/connect";
import { type FieldViolation, SatchelError } from "../../errors.ts";

/** How many violations an error names: it travels in trailers, of which some clients accept no more than 8 KiB. */
const MAX_VIOLATIONS = 20;

/** Throws FIELD_INVALID, with what is wrong, for a request that breaks a constraint declared in its .proto. */
export type RequestValidator = <Desc extends DescMessage>(schema: Desc, message: MessageShape<Desc>) => void;

/**
 * Makes the validator for the requests of these services. All of their rules are compiled now, so that the first calls
 * are not slow and a rule that is wrong stops the start.
 */
export function createRequestValidator(services: readonly DescService[]): RequestValidator {
  const validator = createValidator();

  const validate: RequestValidator = (schema, message) => {
    const result = validator.validate(schema, message);
    if (result.kind === "error") throw result.error;
    if (result.kind === "invalid") throw fieldsInvalid(result.violations);
  };

  for (const { input } of services.flatMap(({ methods }) => methods)) {
    const result = validator.validate(input, create(input));
    if (result.kind === "error") throw new Error(`the rules of ${input.typeName} are wrong`, { cause: result.error });
  }
  return validate;
}

/** Checks every request message against the constraints in its .proto before the handler sees it. */
export function validateInterceptor(services: readonly DescService[]): Interceptor {
  const validate = createRequestValidator(services);
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

function fieldsInvalid(found: readonly Violation[]): SatchelError {
  const violations = found.slice(0, MAX_VIOLATIONS).map(fieldViolation);
  const [first] = violations;
  const others = found.length > 1 ? ` (and ${found.length - 1} more)` : "";
  return new SatchelError("FIELD_INVALID", `${first?.field}: ${first?.description}${others}`, { violations });
}

function fieldViolation({ field, message, ruleId }: Violation): FieldViolation {
  return { field: pathToString(field), description: message === "" ? ruleId : message };
}
