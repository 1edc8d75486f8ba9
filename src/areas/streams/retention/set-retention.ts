import type { CallOptions } from "../../../kernel/call-options.ts";
import { limitExceeded } from "../../../kernel/errors.ts";
import { wireName } from "../../../kernel/limits.ts";
import type { ServicePrincipal } from "../../../kernel/principal.ts";
import type { StreamsContext } from "../context.ts";
import type { RetentionPolicy, RetentionTarget } from "../domain/retention.ts";
import { categoryOf } from "../domain/stream-name.ts";
import { countOtherPolicies, removePolicy, resetPolicy, savePolicy } from "../store/set-policy.ts";
import { SweepEntity } from "../store/sweep.ts";

/** The policy for a target; undefined removes the policy. */
export interface PolicyChange {
  readonly target: RetentionTarget;
  readonly policy: RetentionPolicy | undefined;
}

/** Sets or removes a policy. Throws LIMIT_EXCEEDED. */
export async function setRetention(
  { store, limits, clock }: Pick<StreamsContext, "store" | "limits" | "clock">,
  { namespaceId }: ServicePrincipal,
  { target, policy }: PolicyChange,
  options: CallOptions,
): Promise<void> {
  const revision = clock();
  await store.inNamespace(
    namespaceId,
    async (unit) => {
      if (policy === undefined) {
        await removePolicy(unit, target);
        // The category's policy now applies to the stream, so the sweeper looks at the whole category again.
        await resetPolicy(unit, categoryOf(target), revision);
        return;
      }
      const { maxRetentionPolicies } = limits;
      const others = await countOtherPolicies(unit, target);
      if (others >= maxRetentionPolicies)
        throw limitExceeded(wireName("maxRetentionPolicies"), maxRetentionPolicies, others + 1, "policy");
      await savePolicy(unit, target, policy, revision);
    },
    options,
  );
  // After the policy: a sweeper that has just found no policy must not forget the namespace.
  await store.transact((em) => em.upsert(SweepEntity, { namespaceId, revision, dueTime: revision }));
}
