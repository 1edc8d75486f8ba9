import { SatchelError } from "../../kernel/errors.ts";

/** NOT_FOUND: there is no consumer group of this id in the caller's namespace. */
export function groupNotFound(consumerGroupId: string): SatchelError {
  return new SatchelError("GROUP_NOT_FOUND", `there is no consumer group ${consumerGroupId}`);
}
