import { defineEntity, p } from "@mikro-orm/core";
import { Int64Type } from "../../../kernel/store/int64.ts";

/** A retention policy as it is stored, with how far the sweeper has applied it to a category. */
export const RetentionPolicyEntity = defineEntity({
  name: "RetentionPolicy",
  tableName: "retention_policies",
  properties: {
    /** The name of a stream (with a "-") or of a category (without). */
    target: p.string().primary(),
    /** Null: messages of any age are kept. */
    maxAgeMicros: p.type(Int64Type).nullable(),
    /** Null: any number of messages is kept. */
    maxCount: p.type(Int64Type).nullable(),
    /** Changes whenever the positions below are reset. */
    revision: p.type(Int64Type),
    /** The global position up to which messages that are too old have been removed. */
    agedTo: p.type(Int64Type),
    /** The global position up to which messages have been looked at for their streams' counts. */
    countedTo: p.type(Int64Type),
  },
});
