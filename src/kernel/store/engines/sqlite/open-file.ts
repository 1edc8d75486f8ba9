import type { NamespaceDatabase } from "./namespace-database.ts";

/** A namespace's file while it is open: a connection for what is done in one turn of the event loop, one for the rest. */
export class OpenFile implements Disposable {
  readonly database: NamespaceDatabase;
  readonly #connect: () => NamespaceDatabase;
  #writer: NamespaceDatabase | undefined;
  #writing = false;

  /** `connect` opens another connection to the same file. */
  constructor(database: NamespaceDatabase, connect: () => NamespaceDatabase) {
    this.database = database;
    this.#connect = connect;
  }

  /** True from `openWriter` to `closeWriter`: the file must not be closed. */
  get beingWritten(): boolean {
    return this.#writing;
  }

  /** The connection for a transaction that takes several turns; the readers' own in memory, where there is no other. */
  openWriter(): NamespaceDatabase {
    this.#writer ??= this.database.memory ? this.database : this.#connect();
    this.#writing = true;
    return this.#writer;
  }

  closeWriter(): void {
    this.#writing = false;
  }

  [Symbol.dispose](): void {
    if (this.#writer !== this.database) this.#writer?.[Symbol.dispose]();
    this.database[Symbol.dispose]();
  }
}
