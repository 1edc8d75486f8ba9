import { closeSync, existsSync, fsyncSync, openSync, readdirSync, rmSync } from "node:fs";
import { platform } from "node:os";
import { join } from "node:path";
import type { CallOptions } from "../../../call-options.ts";
import { SatchelError, storeUnavailable } from "../../../errors.ts";
import { type NamespaceId, parseNamespaceId } from "../../../namespace-id.ts";
import { type Clock, wallClock } from "./clock.ts";
import { ensurePrivateFile } from "./database.ts";
import { STORE_CLOSED, translateStoreError } from "./errors.ts";
import type { FileSchema } from "./migrate.ts";
import { NamespaceDatabase } from "./namespace-database.ts";
import { OpenFile } from "./open-file.ts";
import { Turns } from "./turns.ts";

const SUFFIX = ".sqlite";
const IN_MEMORY = ":memory:";

interface NamespaceFilesOptions {
  /** Where the files are, or ":memory:". */
  readonly directory: string;
  /** At most this many are open; the one that was used least recently is closed first. In memory all stay open. */
  readonly maxOpen: number;
  /** The schema that every file is brought to when it is opened. */
  readonly schema: FileSchema;
  /** The store's clock; the wall clock unless given. */
  readonly now?: Clock | undefined;
}

/** The files of all namespaces, opened when they are needed. */
export class NamespaceFiles implements Disposable {
  readonly #directory: string;
  readonly #maxOpen: number;
  readonly #schema: FileSchema;
  readonly #now: Clock;
  readonly #inMemory: boolean;
  /** The least recently used first. */
  readonly #open = new Map<NamespaceId, OpenFile>();
  readonly #turns = new Turns();
  #closed = false;

  constructor({ directory, maxOpen, schema, now = wallClock() }: NamespaceFilesOptions) {
    this.#now = now;
    this.#directory = directory;
    this.#schema = schema;
    this.#inMemory = directory === IN_MEMORY;
    this.#maxOpen = this.#inMemory ? Number.POSITIVE_INFINITY : maxOpen;
  }

  /**
   * Works on the file of a namespace. `work` must not keep the database beyond its return, for it may be closed at any
   * time after. Throws NAMESPACE_NOT_FOUND when there is no file.
   */
  use<T>(id: NamespaceId, work: (database: NamespaceDatabase) => T): T {
    return work(this.#take(id).database);
  }

  /**
   * Works on the file of a namespace while nobody writes to it: what `work` reads is committed even where readers and the
   * writer share a connection, and what it writes waits for nobody.
   */
  async useInTurn<T>(id: NamespaceId, work: (database: NamespaceDatabase) => T): Promise<T> {
    using _turn = await this.#turns.take(id);
    return this.use(id, work);
  }

  /** True: readers have to take turns with the writer, because a database in memory has but one connection. */
  get readersTakeTurns(): boolean {
    return this.#inMemory;
  }

  /**
   * Waits for its turn to write and keeps the file open until `release` is called, over any number of turns of the event
   * loop. The connection is one that readers do not use, except in memory. Throws NAMESPACE_NOT_FOUND when there is no file.
   */
  async openWriter(id: NamespaceId): Promise<{ readonly database: NamespaceDatabase; readonly release: () => void }> {
    const turn = await this.#turns.take(id);
    try {
      const file = this.#take(id);
      const writer = file.openWriter();
      let released = false;
      const release = (): void => {
        if (released) return;
        released = true;
        file.closeWriter();
        turn[Symbol.dispose]();
      };
      return { database: writer, release };
    } catch (error) {
      turn[Symbol.dispose]();
      throw error;
    }
  }

  /** Does what must not happen while somebody writes. */
  async alone<T>(id: NamespaceId, work: () => T | Promise<T>): Promise<T> {
    using _turn = await this.#turns.take(id);
    return await work();
  }

  /**
   * Makes an empty file, in place of what the creation of a namespace left behind that was never finished. Throws
   * NAMESPACE_EXISTS rather than destroy what was written.
   */
  create(id: NamespaceId): void {
    if (this.#exists(id)) {
      const written = this.use(id, (database) => database.row("SELECT 1 FROM sqlite_sequence LIMIT 1") !== undefined);
      if (written) throw new SatchelError("NAMESPACE_EXISTS", `${id}${SUFFIX} is in the way, and was written to`);
    }
    this.drop(id);
    try {
      if (!this.#inMemory) ensurePrivateFile(this.#path(id));
      this.#keep(id, this.#openDatabase(id));
      this.#syncDirectory();
    } catch (error) {
      this.drop(id);
      throw error;
    }
  }

  /** Removes the file, if it is there. */
  drop(id: NamespaceId): void {
    this.#open.get(id)?.[Symbol.dispose]();
    this.#open.delete(id);
    if (this.#inMemory) return;
    // The file itself first: without it the rest means nothing, and is removed before another takes the name.
    for (const companion of ["", "-wal", "-shm"]) rmSync(this.#path(id) + companion, { force: true });
    this.#syncDirectory();
  }

  /** Brings every file to the schema. Opens only those that may not have it, and calls `pause` after each of these. */
  async migrate(pause: () => Promise<unknown>): Promise<void> {
    for (const id of this.#ids()) {
      if (this.#open.has(id) || this.#schema.headerIsCurrent(this.#path(id))) continue;
      this.use(id, () => undefined);
      await pause();
    }
  }

  [Symbol.dispose](): void {
    this.#closed = true;
    for (const file of this.#open.values()) file[Symbol.dispose]();
    this.#open.clear();
  }

  #take(id: NamespaceId): OpenFile {
    if (this.#closed) throw storeUnavailable(undefined, STORE_CLOSED);
    const open = this.#open.get(id);
    if (open !== undefined) {
      this.#open.delete(id);
      this.#open.set(id, open);
      return open;
    }
    if (!this.#exists(id)) throw new SatchelError("NAMESPACE_NOT_FOUND", `there is no namespace ${id}`);
    return this.#keep(id, this.#openDatabase(id));
  }

  #keep(id: NamespaceId, database: NamespaceDatabase): OpenFile {
    for (const [oldest, unused] of this.#open) {
      if (this.#open.size < this.#maxOpen) break;
      if (unused.beingWritten) continue;
      this.#open.delete(oldest);
      unused[Symbol.dispose]();
    }
    const file = new OpenFile(database, () => this.#openDatabase(id));
    this.#open.set(id, file);
    return file;
  }

  #openDatabase(id: NamespaceId): NamespaceDatabase {
    return new NamespaceDatabase(this.#path(id), this.#schema, this.#now);
  }

  #exists(id: NamespaceId): boolean {
    return this.#open.has(id) || (!this.#inMemory && existsSync(this.#path(id)));
  }

  #path(id: NamespaceId): string {
    return this.#inMemory ? IN_MEMORY : join(this.#directory, id + SUFFIX);
  }

  #ids(): NamespaceId[] {
    if (this.#inMemory) return [];
    const names = readdirSync(this.#directory).filter((name) => name.endsWith(SUFFIX));
    return names.map((name) => parseNamespaceId(name.slice(0, -SUFFIX.length))).filter((id) => id !== undefined);
  }

  /** Makes it durable which files there are. */
  #syncDirectory(): void {
    // Windows cannot open a directory, and does not need to.
    if (this.#inMemory || platform() === "win32") return;
    const directory = openSync(this.#directory, "r");
    try {
      fsyncSync(directory);
    } finally {
      closeSync(directory);
    }
  }
}

/** Reads the file of a namespace for a call. Throws what is meant for its caller, and the reason of a signal that has fired. */
export async function readNamespace<T>(
  files: NamespaceFiles,
  id: NamespaceId,
  { signal }: CallOptions,
  work: (database: NamespaceDatabase) => T,
): Promise<T> {
  signal?.throwIfAborted();
  try {
    return files.readersTakeTurns ? await files.useInTurn(id, work) : files.use(id, work);
  } catch (error) {
    throw translateStoreError(error);
  }
}

/** Writes to the file of a namespace for a call, when nobody else does. Throws as `readNamespace` does. */
export async function writeNamespace<T>(
  files: NamespaceFiles,
  id: NamespaceId,
  { signal }: CallOptions,
  work: (database: NamespaceDatabase) => T,
): Promise<T> {
  signal?.throwIfAborted();
  try {
    return await files.useInTurn(id, work);
  } catch (error) {
    throw translateStoreError(error);
  }
}
