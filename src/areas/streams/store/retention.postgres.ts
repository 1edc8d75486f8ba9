import type { CallOptions } from "../../../kernel/call-options.ts";
import type { NamespaceId } from "../../../kernel/namespace-id.ts";
import type { Connections } from "../../../kernel/store/engines/postgres/connections.ts";
import { translateNamespaceError } from "../../../kernel/store/engines/postgres/errors.ts";
import { bigintOf, textOf } from "../../../kernel/store/engines/postgres/row.ts";
import { quotedSchema } from "../../../kernel/store/engines/postgres/schema-name.ts";
import type { Row } from "../../../kernel/store/engines/postgres/text-rows.ts";
import type { DeletionOutcome, RetentionTarget, StreamDeletion, Truncations } from "../domain/retention.ts";
import type { StreamName } from "../domain/stream-name.ts";
import type {
  MessagePlace,
  PlacesQuery,
  PolicyChange,
  RetentionStore,
  StoredPolicy,
  StreamEnds,
} from "./retention-store.ts";
import {
  advanceText,
  endsText,
  placesOfCategoryText,
  placesOfStreamText,
  policiesText,
  policiesOfText,
} from "./retention.postgres.sql.ts";

/** What removes messages of one namespace on PostgreSQL. */
export class PostgresRetentionStore implements RetentionStore {
  readonly #connections: Connections;
  readonly #id: NamespaceId;

  constructor(connections: Connections, id: NamespaceId) {
    this.#connections = connections;
    this.#id = id;
  }

  async truncate(category: string, truncations: Truncations, limit: number, options: CallOptions): Promise<number> {
    const values = [category, [...truncations.keys()], [...truncations.values()], limit];
    const [row] = await this.#query((schema) => `SELECT ${schema}.truncate_streams($1, $2, $3, $4)`, values, options);
    return Number(row?.[0]);
  }

  async deleteStream(
    { streamName, tombstone, expectedVersion, maxMessages }: StreamDeletion,
    options: CallOptions,
  ): Promise<DeletionOutcome> {
    const values = [streamName, tombstone, expectedVersion ?? null, maxMessages];
    const text = (schema: string): string =>
      `SELECT kind, removed, version FROM ${schema}.delete_stream($1, $2, $3, $4)`;
    const [[kind, removed, version] = []] = await this.#query(text, values, options);
    if (kind === "d") return { kind: "deleted", removed: bigintOf(removed), version: bigintOf(version) };
    if (kind === "c") return { kind: "conflict", actual: bigintOf(version) };
    return { kind: "too-long", messageCount: bigintOf(removed), version: bigintOf(version) };
  }

  async ends(streamNames: readonly StreamName[], options: CallOptions): Promise<ReadonlyMap<string, StreamEnds>> {
    const rows = await this.#query(endsText, [streamNames], options);
    return new Map(rows.map(([name, first, last]) => [textOf(name), { first: bigintOf(first), last: bigintOf(last) }]));
  }

  async places({ of, after, limit }: PlacesQuery, options: CallOptions): Promise<readonly MessagePlace[]> {
    const [text, key] = "category" in of ? [placesOfCategoryText, of.category] : [placesOfStreamText, of.streamName];
    const rows = await this.#query(text, [key, after, limit], options);
    return rows.map(([streamName, position, globalPosition, time]) => ({
      streamName: textOf(streamName) as StreamName,
      position: bigintOf(position),
      globalPosition: bigintOf(globalPosition),
      timeMicros: bigintOf(time),
    }));
  }

  async setPolicy(
    { target, policy, revision, maxPolicies }: PolicyChange,
    options: CallOptions,
  ): Promise<bigint | undefined> {
    const values = [target, policy?.maxAgeMicros ?? null, policy?.maxCount ?? null, revision, maxPolicies];
    const [row] = await this.#query((schema) => `SELECT ${schema}.set_retention($1, $2, $3, $4, $5)`, values, options);
    return optionalBigint(row?.[0]);
  }

  async policiesOf(targets: readonly RetentionTarget[], options: CallOptions): Promise<readonly StoredPolicy[]> {
    return (await this.#query(policiesOfText, [targets], options)).map(policyOf);
  }

  async policies(after: string, limit: number, options: CallOptions): Promise<readonly StoredPolicy[]> {
    return (await this.#query(policiesText, [after, limit], options)).map(policyOf);
  }

  async advance(
    { target, revision, agedTo, countedTo }: Parameters<RetentionStore["advance"]>[0],
    options: CallOptions,
  ): Promise<boolean> {
    return (await this.#query(advanceText, [target, revision, agedTo, countedTo], options)).length > 0;
  }

  async #query(
    text: (schema: string) => string,
    values: readonly unknown[],
    options: CallOptions,
  ): Promise<readonly Row[]> {
    try {
      return await this.#connections.query({ text: text(quotedSchema(this.#id)) }, values, options);
    } catch (error) {
      throw translateNamespaceError(error, this.#id);
    }
  }
}

function policyOf([target, maxAge, maxCount, revision, agedTo, countedTo]: Row): StoredPolicy {
  return {
    target: textOf(target) as RetentionTarget,
    maxAgeMicros: optionalBigint(maxAge),
    maxCount: optionalBigint(maxCount),
    revision: bigintOf(revision),
    agedTo: bigintOf(agedTo),
    countedTo: bigintOf(countedTo),
  };
}

function optionalBigint(column: string | null | undefined): bigint | undefined {
  return column === null || column === undefined ? undefined : BigInt(column);
}
