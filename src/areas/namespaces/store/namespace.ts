import { defineEntity, type InferEntity, p } from "@mikro-orm/core";
import { Int64Type } from "../../../kernel/store/int64.ts";

/** A namespace in the control plane. Times are microseconds since 1970, UTC. */
export const NamespaceEntity = defineEntity({
  name: "Namespace",
  tableName: "namespaces",
  properties: {
    id: p.string().primary(),
    description: p.text(),
    state: p.enum(["active", "deleting"] as const),
    createTimeMicros: p.type(Int64Type),
    updateTimeMicros: p.type(Int64Type),
  },
});

export type NamespaceRow = InferEntity<typeof NamespaceEntity>;

/** A namespace that has been read. */
export type NamespaceRecord = Readonly<NamespaceRow>;
