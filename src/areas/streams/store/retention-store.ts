import type { CallOptions } from "../../../kernel/call-options.ts";
import { statement } from "../../../kernel/store/statement.ts";
import { tableOf } from "../../../kernel/store/table.ts";
import { MAX_POSITION } from "../domain/message.ts";
import type {
  DeletionOutcome,
  RetentionPolicy,
  RetentionTarget,
  StreamDeletion,
  Truncations,
} from "../domain/retention.ts";
import type { Category, StreamName } from "../domain/stream-name.ts";
import { categoryOrder } from "./category-range.ts";
import { type MessageSql, messageStatement } from "./message-statement.ts";
import { RetentionPolicyEntity } from "./retention-policy.ts";
import type { RunStatement } from "./run-statement.ts";
import type { StreamEngine } from "./stream-engine.ts";

/** A policy as it is stored, with how far the sweeper has applied it to a category. */
export interface StoredPolicy extends RetentionPolicy {
  readonly target: RetentionTarget;
  /** Changes whenever the positions below are reset. */
  readonly revision: bigint;
  /** The global position of the category up to which messages that are too old have been removed. */
  readonly agedTo: bigint;
  /** The global position of the category up to which messages have been looked at for their streams' counts. */
  readonly countedTo: bigint;
}

/** Where a message is, and how old. */
export interface MessagePlace {
  readonly streamName: StreamName;
  readonly position: bigint;
  readonly globalPosition: bigint;
  readonly timeMicros: bigint;
}

/** The positions of the first and the last message of a stream. */
export interface StreamEnds {
  readonly first: bigint;
  readonly last: bigint;
}

/** Which messages to look up: those after a position of a stream, or after a global position of a category. */
export interface PlacesQuery {
  readonly of: { readonly streamName: StreamName } | { readonly category: Category };
  readonly after: bigint;
  readonly limit: number;
}

const POLICIES = tableOf(RetentionPolicyEntity);
const POLICIES_OF = POLICIES.select("WHERE target IN ({each $1 text})");
const POLICIES_AFTER = POLICIES.select("WHERE target > $1 ORDER BY target LIMIT $2");

const ADVANCE = statement(
  { target: "text" },
  `UPDATE {retention_policies} SET
     aged_to = CASE WHEN aged_to < $3 THEN $3 ELSE aged_to END,
     counted_to = CASE WHEN counted_to < $4 THEN $4 ELSE counted_to END
   WHERE target = $1 AND revision = $2 RETURNING target`,
);

const ENDS = statement(
  { streamName: "text", first: "int64?", last: "int64?" },
  `SELECT e.name, e.first_position, e.last_position FROM (
     WITH s (name) AS ({each $1 text})
     SELECT s.name, ${endOf("ASC")} AS first_position, ${endOf("DESC")} AS last_position FROM s
   ) e`,
);

function endOf(order: "ASC" | "DESC"): string {
  return `(SELECT m.position FROM {messages} m WHERE m.stream_name = s.name ORDER BY m.position ${order} LIMIT 1)`;
}

const PLACES_OF_STREAM = places(() => "m.stream_name = $1 AND m.position > $2", "m.position");
const PLACES_OF_CATEGORY = places(
  ({ inCategory }) => inCategory("$1", "CAST($2 AS bigint) + 1", String(MAX_POSITION)),
  categoryOrder(),
);

function places(condition: (sql: MessageSql) => string, order: string) {
  return messageStatement(
    { streamName: "text", position: "int64", globalPosition: "int64", timeMicros: "int64" },
    (sql) => `SELECT m.stream_name, m.position, m.global_position, ${sql.timeMicros}
      FROM {messages} m WHERE ${condition(sql)} ORDER BY ${order} LIMIT $3`,
  );
}

/**
 * Removal of messages of one namespace, and its retention policies. A removal is durable when it is answered. Every method
 * rejects with a SatchelError: NAMESPACE_NOT_FOUND when the namespace is gone, STORE_UNAVAILABLE when the database is.
 */
export class RetentionStore {
  readonly #engine: StreamEngine;
  readonly #run: RunStatement;

  constructor(engine: StreamEngine, run: RunStatement) {
    this.#engine = engine;
    this.#run = run;
  }

  /** As StreamEngine.truncate. */
  truncate(category: string, truncations: Truncations, limit: number, options: CallOptions): Promise<number> {
    return this.#engine.truncate(category, truncations, limit, options);
  }

  /** As StreamEngine.deleteStream. */
  deleteStream(deletion: StreamDeletion, options: CallOptions): Promise<DeletionOutcome> {
    return this.#engine.deleteStream(deletion, options);
  }

  /** The ends of those of the streams that have messages. */
  async ends(streamNames: readonly StreamName[], options: CallOptions): Promise<ReadonlyMap<string, StreamEnds>> {
    const ends = new Map<string, StreamEnds>();
    for (const { streamName, first, last } of await this.#run(ENDS, [streamNames], options)) {
      if (first !== null && last !== null) ends.set(streamName, { first, last });
    }
    return ends;
  }

  /** The messages after a position, ascending. */
  async places({ of, after, limit }: PlacesQuery, options: CallOptions): Promise<readonly MessagePlace[]> {
    const [query, name] = "category" in of ? [PLACES_OF_CATEGORY, of.category] : [PLACES_OF_STREAM, of.streamName];
    const rows = await this.#run(query, [name, after, limit], options);
    return rows as readonly MessagePlace[];
  }

  /** The policies of these targets. */
  async policiesOf(targets: readonly RetentionTarget[], options: CallOptions): Promise<readonly StoredPolicy[]> {
    return (await this.#run(POLICIES_OF, [targets], options)).map(policyOf);
  }

  /** At most `limit` policies in the order of their targets, after a target. */
  async policies(after: string, limit: number, options: CallOptions): Promise<readonly StoredPolicy[]> {
    return (await this.#run(POLICIES_AFTER, [after, limit], options)).map(policyOf);
  }

  /** Stores how far a category has been looked at; returns false when its policy has been set anew meanwhile. */
  async advance(policy: Omit<StoredPolicy, keyof RetentionPolicy>, options: CallOptions): Promise<boolean> {
    const { target, revision, agedTo, countedTo } = policy;
    return (await this.#run(ADVANCE, [target, revision, agedTo, countedTo], options)).length > 0;
  }
}

interface PolicyRow {
  readonly target: string;
  readonly maxAgeMicros?: bigint | null | undefined;
  readonly maxCount?: bigint | null | undefined;
  readonly revision: bigint;
  readonly agedTo: bigint;
  readonly countedTo: bigint;
}

function policyOf(row: PolicyRow): StoredPolicy {
  return {
    ...row,
    target: row.target as RetentionTarget,
    maxAgeMicros: row.maxAgeMicros ?? undefined,
    maxCount: row.maxCount ?? undefined,
  };
}
