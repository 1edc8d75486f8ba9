import { defineEntity, p } from "@mikro-orm/core";
import { Int64Type } from "../../../kernel/store/int64.ts";

/** A namespace that has, or has had, policies of retention. Times are microseconds since 1970, UTC. */
export const SweepEntity = defineEntity({
  name: "Sweep",
  tableName: "sweeps",
  properties: {
    namespaceId: p.string().primary(),
    /** Another one whenever a policy has been set. */
    revision: p.type(Int64Type),
    /** From when on a replica may sweep the namespace; set further ahead by the one that does. */
    dueTime: p.type(Int64Type),
  },
});
