import { defineEntity, type InferEntity, p } from "@mikro-orm/core";
import { Int64Type } from "../../../kernel/store/int64.ts";

/** A namespace, as the control plane knows it. Times are microseconds since 1970, UTC. */
export const NamespaceEntity = defineEntity({
  name: "Namespace",
  tableName: "namespaces",
  properties: {
    id: p.string().primary(),
    description: p.text(),
    state: p.enum(["active", "deleting"] as const),
    createTime: p.type(Int64Type),
    updateTime: p.type(Int64Type),
  },
});

export type NamespaceRow = InferEntity<typeof NamespaceEntity>;
