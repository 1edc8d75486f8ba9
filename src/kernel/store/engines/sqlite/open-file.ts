import { NamespaceDatabase } from "./namespace-database.ts";

/** A namespace's file while it is open: a connection for what is done in one turn of the event loop, one for the rest. */
export class OpenFile implements Disposable {
  readonly database: NamespaceDatabase;
  readonly #path: string;
  #writer: NamespaceDatabase | undefined;
  #writing = false;

  constructor(database: NamespaceDatabase, path: string) {
    this.database = database;
    this.#path = path;
  }

  /** True from `openWriter` to `closeWriter`: the file must not be closed. */
  get beingWritten(): boolean {
    return this.#writing;
  }

  /** The connection for a transaction that takes several turns; the readers' own in memory, where there is no other. */
  openWriter(): NamespaceDatabase {
    this.#writer ??= this.database.memory ? this.database : new NamespaceDatabase(this.#path);
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
