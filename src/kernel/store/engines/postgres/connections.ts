import type { Pool, PoolClient, QueryArrayConfig } from "pg";
import type { CallOptions } from "../../../call-options.ts";
import { storeUnavailable } from "../../../errors.ts";
import type { Canceller } from "./canceller.ts";
import { type BinaryRow, CopyOut } from "./copy-out.ts";
import { withoutDeadlock } from "./deadlock.ts";
import { Pipeline } from "./pipeline.ts";
import { type Row, type Statement, TEXT_TYPES, type TransactionQuery } from "./text-rows.ts";

/** How many prepared statements a connection may keep; with more it is replaced, since the server never forgets them. */
const MAX_PREPARED = 500;

/** How long a statement that has been cancelled, or that exceeds its time, may take to end before its connection is cut. */
const CANCEL_GRACE_MS = 2_000;

/** Runs statements on the pool's connections; a statement ends when its caller's signal fires, in the database too. */
export class Connections {
  readonly #pool: Pool;
  readonly #canceller: Canceller;
  readonly #statementTimeoutMs: number;
  readonly #prepared = new WeakMap<PoolClient, Set<string>>();

  constructor(pool: Pool, canceller: Canceller, statementTimeoutMs: number) {
    this.#pool = pool;
    this.#canceller = canceller;
    this.#statementTimeoutMs = statementTimeoutMs;
  }

  /**
   * Runs one statement, in a transaction of its own, and returns its rows. Rejects with the signal's reason when that
   * fires, with STORE_UNAVAILABLE when the database does not answer in time, otherwise with the driver's error.
   */
  async query(statement: Statement, values: readonly unknown[], { signal }: CallOptions = {}): Promise<Row[]> {
    return withoutDeadlock(() => this.#withClient(signal, (client) => this.#run(client, statement, values)));
  }

  /**
   * Runs COPY … TO STDOUT (FORMAT binary), and returns its rows. Rejects as `query` does. `name` is of the function that it
   * calls, which the connection keeps the plans of as it keeps a prepared statement.
   */
  async copy({ name, text }: Required<Statement>, { signal }: CallOptions): Promise<readonly BinaryRow[]> {
    const run = (client: PoolClient): Promise<readonly BinaryRow[]> => {
      this.#remember(client, name);
      return client.query(new CopyOut(text)).rows;
    };
    return withoutDeadlock(() => this.#withClient(signal, run));
  }

  /** A way for statements that are sent before those ahead of them are answered. */
  pipeline(): Pipeline {
    return new Pipeline({
      connect: () => this.#pool.connect(),
      run: (client, statement, values) => this.#run(client, statement, values),
      isUsable: (client) => !isUnusable(client),
      release: (client) => client.release(isUnusable(client) || this.#hasTooManyStatements(client)),
      isContended: () => this.#pool.waitingCount > 0,
      timeoutMs: this.#statementTimeoutMs + CANCEL_GRACE_MS,
    });
  }

  /**
   * Runs what `work` does in one transaction, on one connection, and commits it; when `work` rejects, nothing of it has
   * happened. `work` must wait for nothing but the statements it runs. Rejects as `query` does; a deadlock is not tried again.
   */
  async transact<T>(work: (query: TransactionQuery) => Promise<T>): Promise<T> {
    return this.#withClient(undefined, async (client) => {
      try {
        await client.query("BEGIN ISOLATION LEVEL READ COMMITTED");
        const result = await work((statement, values) => this.#run(client, statement, values));
        await client.query("COMMIT");
        return result;
      } catch (error) {
        await client.query("ROLLBACK").catch(() => undefined);
        throw error;
      }
    });
  }

  async #withClient<T>(signal: AbortSignal | undefined, run: (client: PoolClient) => Promise<T>): Promise<T> {
    signal?.throwIfAborted();
    const client = await this.#connect(signal);
    const running = run(client);
    const { promise: stopped, stop, clear } = stopper(signal, this.#statementTimeoutMs + CANCEL_GRACE_MS);
    try {
      const result = await Promise.race([running, stopped]);
      client.release(this.#hasTooManyStatements(client));
      return result;
    } catch (error) {
      if (stop()) void this.#abandon(client, running);
      else client.release(isUnusable(client));
      throw error;
    } finally {
      clear();
    }
  }

  async #connect(signal: AbortSignal | undefined): Promise<PoolClient> {
    const connecting = this.#pool.connect();
    if (signal === undefined) return connecting;
    const { promise: stopped, clear } = stopper(signal);
    try {
      return await Promise.race([connecting, stopped]);
    } catch (error) {
      void connecting.then((client) => client.release()).catch(() => undefined);
      throw error;
    } finally {
      clear();
    }
  }

  async #run(client: PoolClient, statement: Statement, values: readonly unknown[]): Promise<Row[]> {
    const config: QueryArrayConfig = { ...statement, values: [...values], rowMode: "array", types: TEXT_TYPES };
    if (statement.name !== undefined) this.#remember(client, statement.name);
    const result = await client.query<(string | null)[]>(config);
    return result.rows;
  }

  /** Ends the statement in the database; the connection goes back to the pool only when that has worked. */
  async #abandon(client: PoolClient, running: Promise<unknown>): Promise<void> {
    const ended = running.then(
      () => true,
      () => true,
    );
    const pid = "processID" in client && typeof client.processID === "number" ? client.processID : undefined;
    if (pid !== undefined) await this.#canceller.cancel(pid);
    const { promise: overdue, clear } = stopper(undefined, CANCEL_GRACE_MS);
    const clean = await Promise.race([ended, overdue.catch(() => false)]);
    clear();
    // Told to end, a client with pipelining would wait for the answer.
    if (!clean) client.connection.stream.destroy();
    client.release(!clean || isUnusable(client));
  }

  #remember(client: PoolClient, name: string): void {
    const names = this.#prepared.get(client);
    if (names === undefined) this.#prepared.set(client, new Set([name]));
    else names.add(name);
  }

  #hasTooManyStatements(client: PoolClient): boolean {
    return (this.#prepared.get(client)?.size ?? 0) > MAX_PREPARED;
  }
}

/** The connection is lost, or still in a transaction. */
function isUnusable(client: PoolClient): boolean {
  return ("_queryable" in client && client._queryable === false) || client.getTransactionStatus() !== "I";
}

interface Stopper {
  /** Never resolves; rejects when the signal fires or the time is over. */
  readonly promise: Promise<never>;
  /** Whether it has rejected. */
  readonly stop: () => boolean;
  readonly clear: () => void;
}

function stopper(signal: AbortSignal | undefined, timeoutMs?: number): Stopper {
  let stopped = false;
  const { promise, reject } = Promise.withResolvers<never>();
  promise.catch(() => undefined);
  const end = (reason: unknown): void => {
    stopped = true;
    reject(reason);
  };
  const onAbort = (): void => end(signal?.reason);
  signal?.addEventListener("abort", onAbort, { once: true });
  const timer =
    timeoutMs === undefined
      ? undefined
      : setTimeout(() => end(storeUnavailable(undefined, "the database does not answer")), timeoutMs);
  return {
    promise,
    stop: () => stopped,
    clear: () => {
      signal?.removeEventListener("abort", onAbort);
      clearTimeout(timer);
    },
  };
}
