import type { CallOptions } from "../../../kernel/call-options.ts";
import type { NamespaceId } from "../../../kernel/namespace-id.ts";
import type { NamespaceDatabase } from "../../../kernel/store/engines/sqlite/namespace-database.ts";
import {
  type NamespaceFiles,
  readNamespace,
  writeNamespace,
} from "../../../kernel/store/engines/sqlite/namespace-files.ts";
import type { DeletionOutcome, RetentionTarget, StreamDeletion, Truncations } from "../domain/retention.ts";
import { categoryOf, type StreamName } from "../domain/stream-name.ts";
import { deleteStream, endsOf, truncateStreams } from "./removal.sqlite.ts";
import type {
  MessagePlace,
  PlacesQuery,
  PolicyChange,
  RetentionStore,
  StoredPolicy,
  StreamEnds,
} from "./retention-store.ts";
import * as sql from "./retention.sqlite.sql.ts";

interface PolicyRow extends Omit<StoredPolicy, "maxAgeMicros" | "maxCount"> {
  readonly maxAgeMicros: bigint | null;
  readonly maxCount: bigint | null;
}

/** What removes messages of one namespace, each step within one turn of the event loop. */
export class SqliteRetentionStore implements RetentionStore {
  readonly #files: NamespaceFiles;
  readonly #id: NamespaceId;

  constructor(files: NamespaceFiles, id: NamespaceId) {
    this.#files = files;
    this.#id = id;
  }

  async truncate(category: string, truncations: Truncations, limit: number, options: CallOptions): Promise<number> {
    return this.#write(options, (database) => truncateStreams(database, category, truncations, limit));
  }

  async deleteStream(deletion: StreamDeletion, options: CallOptions): Promise<DeletionOutcome> {
    return this.#write(options, (database) => deleteStream(database, deletion));
  }

  async ends(streamNames: readonly StreamName[], options: CallOptions): Promise<ReadonlyMap<string, StreamEnds>> {
    return this.#read(options, (database) => {
      const ends = new Map<string, StreamEnds>();
      for (const name of streamNames) {
        const found = endsOf(database, name);
        if (found !== undefined) ends.set(name, found);
      }
      return ends;
    });
  }

  async places({ of, after, limit }: PlacesQuery, options: CallOptions): Promise<readonly MessagePlace[]> {
    const [text, key] =
      "category" in of ? [sql.PLACES_OF_CATEGORY, of.category] : [sql.PLACES_OF_STREAM, of.streamName];
    return this.#read(options, (database) => [...database.rows<MessagePlace>(text, key, after, limit)]);
  }

  async setPolicy(change: PolicyChange, options: CallOptions): Promise<bigint | undefined> {
    return this.#write(options, (database) => database.transact(() => setPolicy(database, change)));
  }

  async policiesOf(targets: readonly RetentionTarget[], options: CallOptions): Promise<readonly StoredPolicy[]> {
    const rows = (database: NamespaceDatabase) => database.rows<PolicyRow>(sql.POLICIES_OF, JSON.stringify(targets));
    return this.#read(options, (database) => Array.from(rows(database), policyOf));
  }

  async policies(after: string, limit: number, options: CallOptions): Promise<readonly StoredPolicy[]> {
    return this.#read(options, (database) =>
      Array.from(database.rows<PolicyRow>(sql.POLICIES, after, limit), policyOf),
    );
  }

  async advance(
    { target, revision, agedTo, countedTo }: Parameters<RetentionStore["advance"]>[0],
    options: CallOptions,
  ): Promise<boolean> {
    const values = { target, revision, agedTo, countedTo };
    return this.#write(options, (database) => database.row(sql.ADVANCE, values) !== undefined);
  }

  #read<T>(options: CallOptions, work: (database: NamespaceDatabase) => T): Promise<T> {
    return readNamespace(this.#files, this.#id, options, work);
  }

  #write<T>(options: CallOptions, work: (database: NamespaceDatabase) => T): Promise<T> {
    return writeNamespace(this.#files, this.#id, options, work);
  }
}

function setPolicy(
  database: NamespaceDatabase,
  { target, policy, revision, maxPolicies }: PolicyChange,
): bigint | undefined {
  if (policy === undefined) {
    database.run(sql.DELETE_POLICY, target);
    // From now on the stream is its category's to see to.
    database.run(sql.RESET_POLICY, revision, categoryOf(target));
    return undefined;
  }
  const { count: others } = database.row<{ readonly count: bigint }>(sql.COUNT_OTHERS, target) ?? { count: 0n };
  if (others >= BigInt(maxPolicies)) return others + 1n;
  database.run(sql.SET_POLICY, target, policy.maxAgeMicros ?? null, policy.maxCount ?? null, revision);
  return undefined;
}

function policyOf(row: PolicyRow): StoredPolicy {
  return { ...row, maxAgeMicros: row.maxAgeMicros ?? undefined, maxCount: row.maxCount ?? undefined };
}
