import { defineEntity, p } from "@mikro-orm/core";
import { Int64Type } from "../../../kernel/store/int64.ts";

/** A namespace that has, or has had, retention policies. Times are microseconds since 1970, UTC. */
export const SweepEntity = defineEntity({
  name: "Sweep",
  tableName: "sweeps",
  properties: {
    namespaceId: p.string().primary(),
    /** Changes whenever a policy is set. */
    revision: p.type(Int64Type),
    /** From this time on a replica may sweep the namespace; the replica that does so sets it further ahead. */
    dueTime: p.type(Int64Type),
  },
});
