import { Client, type ClientConfig } from "pg";

/** How long the connection for cancelling is kept after its last use. */
const IDLE_MS = 10_000;

/** Cancels statements of other connections, on a connection of its own, so that a full pool cannot prevent it. */
export class Canceller implements AsyncDisposable {
  readonly #config: ClientConfig;
  #client: Promise<Client> | undefined;
  #idle: NodeJS.Timeout | undefined;
  /** A connection runs one statement after the other. */
  #turn: Promise<void> = Promise.resolve();

  constructor(config: ClientConfig) {
    this.#config = config;
  }

  /** Asks the server to cancel what backend `pid` runs. Never rejects: when it fails the caller's own time limit acts. */
  cancel(pid: number): Promise<void> {
    this.#turn = this.#turn.then(() => this.#cancel(pid));
    return this.#turn;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    clearTimeout(this.#idle);
    await this.#close();
  }

  async #cancel(pid: number): Promise<void> {
    clearTimeout(this.#idle);
    try {
      this.#client ??= this.#connect();
      const client = await this.#client;
      await client.query("SELECT pg_cancel_backend($1)", [pid]);
    } catch {
      await this.#close();
    }
    this.#idle = setTimeout(() => void this.#close(), IDLE_MS).unref();
  }

  async #connect(): Promise<Client> {
    const client = new Client(this.#config);
    client.on("error", () => {
      this.#client = undefined;
    });
    await client.connect();
    return client;
  }

  async #close(): Promise<void> {
    const client = this.#client;
    this.#client = undefined;
    await client?.then((open) => open.end()).catch(() => undefined);
  }
}
