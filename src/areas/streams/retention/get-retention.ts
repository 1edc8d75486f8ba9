import type { CallOptions } from "../../../kernel/call-options.ts";
import type { ServicePrincipal } from "../../../kernel/principal.ts";
import type { StreamsContext } from "../context.ts";
import type { RetentionPolicy, RetentionTarget } from "../domain/retention.ts";
import { categoryOf, isCategory } from "../domain/stream-name.ts";
import { retentionStore } from "../store/stores.ts";

/** The policy in force for a stream or a category. */
export interface PolicyInForce {
  readonly policy: RetentionPolicy;
  /** Whether it is the policy of the stream's category. */
  readonly inherited: boolean;
}

/** Returns the policy of a category, or of a stream: its own or else its category's. */
export async function getRetention(
  { store }: Pick<StreamsContext, "store">,
  { namespaceId }: ServicePrincipal,
  target: RetentionTarget,
  options: CallOptions,
): Promise<PolicyInForce | undefined> {
  const targets = isCategory(target) ? [target] : [target, categoryOf(target) as RetentionTarget];
  const policies = await retentionStore(store.engine, namespaceId).policiesOf(targets, options);
  const own = policies.find((policy) => policy.target === target);
  const policy = own ?? policies[0];
  return policy === undefined ? undefined : { policy, inherited: own === undefined };
}
