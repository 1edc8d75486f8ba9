import type { PoolClient } from "pg";
import { withoutDeadlock } from "./deadlock.ts";
import type { Row, Statement } from "./text-rows.ts";

/** How a pipeline comes by connections. */
export interface PipelineOptions {
  readonly connect: () => Promise<PoolClient>;
  readonly run: (client: PoolClient, statement: Statement, values: readonly unknown[]) => Promise<Row[]>;
  readonly isUsable: (client: PoolClient) => boolean;
  readonly release: (client: PoolClient) => void;
  /** Whether others wait for a connection. */
  readonly isContended: () => boolean;
  /** The longest that a statement may take. */
  readonly timeoutMs: number;
}

/** A connection for as long as it is in use. */
interface Lease {
  readonly connecting: Promise<PoolClient>;
  /** Once there is one. */
  client: PoolClient | undefined;
  readonly released: PromiseWithResolvers<void>;
  statements: number;
}

/**
 * Sends statements without waiting for the answers to those before: the database makes them in that order, each a
 * transaction of its own, with nothing to wait for in between. Has a connection only while one of them is under way.
 */
export class Pipeline {
  readonly #options: PipelineOptions;
  #lease: Lease | undefined;

  constructor(options: PipelineOptions) {
    this.#options = options;
  }

  /**
   * Runs one statement after those that were sent before it, and returns its rows. Rejects with the driver's error, as all
   * that are under way do when the connection is lost or the database does not answer in time.
   */
  query(statement: Statement, values: readonly unknown[]): Promise<Row[]> {
    return withoutDeadlock(() => this.#query(statement, values));
  }

  async #query(statement: Statement, values: readonly unknown[]): Promise<Row[]> {
    const lease = await this.#join();
    try {
      const client = (lease.client ??= await lease.connecting);
      const overdue = setTimeout(() => client.connection.stream.destroy(), this.#options.timeoutMs * lease.statements);
      return await this.#options.run(client, statement, values).finally(() => clearTimeout(overdue));
    } catch (error) {
      if (lease.client === undefined || !this.#options.isUsable(lease.client)) this.#leave(lease);
      throw error;
    } finally {
      if (--lease.statements === 0) this.#release(lease);
    }
  }

  async #join(): Promise<Lease> {
    // The connection goes back in between, or who is busiest would never let go of it.
    while (this.#lease !== undefined && this.#options.isContended()) await this.#lease.released.promise;
    this.#lease ??= {
      connecting: this.#options.connect(),
      client: undefined,
      released: Promise.withResolvers(),
      statements: 0,
    };
    this.#lease.statements++;
    return this.#lease;
  }

  /** Whoever comes now gets another connection. */
  #leave(lease: Lease): void {
    if (this.#lease === lease) this.#lease = undefined;
  }

  #release(lease: Lease): void {
    this.#leave(lease);
    lease.released.resolve();
    if (lease.client !== undefined) this.#options.release(lease.client);
  }
}
