import type { Connection, Submittable } from "pg";

/**
 * Rows are kept together in pieces of memory. One row has a piece of its own, and then each piece is as large as the rows
 * before it, up to this: few pieces for many rows, and never more than twice the memory that the rows take.
 */
const MAX_PIECE_BYTES = 64 * 1024;

/** A signature of 11 bytes, flags, and the length of an extension that there is none of. */
const HEADER_BYTES = 19;
/** Each row begins with how many columns it has; instead of that there is -1 after the last row. */
const COUNT_BYTES = 2;
const TRAILER = -1;

/** Where a row is, without the number of its columns. */
export interface BinaryRow {
  readonly buffer: Buffer;
  readonly start: number;
  readonly length: number;
}

/**
 * COPY … TO STDOUT (FORMAT binary): its rows as PostgreSQL sends them, which pg hands over untouched. Any other statement's
 * columns pg makes strings of, one by one, and that costs more than the rest of what becomes of a message.
 * https://www.postgresql.org/docs/current/sql-copy.html, "Binary Format".
 */
export class CopyOut implements Submittable {
  readonly #text: string;
  readonly #rows: BinaryRow[] = [];
  readonly #done = Promise.withResolvers<readonly BinaryRow[]>();
  #piece = Buffer.alloc(0);
  #used = 0;
  #rowBytes = 0;
  #headerBytes = HEADER_BYTES;

  constructor(text: string) {
    this.#text = text;
  }

  /** The rows, once all are there. */
  get rows(): Promise<readonly BinaryRow[]> {
    return this.#done.promise;
  }

  submit(connection: Connection): void {
    connection.query(this.#text);
  }

  /** One row, the first with a header before it, or the trailer. The chunk is pg's own, and changes. */
  handleCopyData({ chunk }: { readonly chunk: Buffer }): void {
    const from = this.#headerBytes;
    this.#headerBytes = 0;
    if (chunk.readInt16BE(from) === TRAILER) return;
    const columnsFrom = from + COUNT_BYTES;
    const length = chunk.length - columnsFrom;
    const start = this.#reserve(length);
    chunk.copy(this.#piece, start, columnsFrom);
    this.#rows.push({ buffer: this.#piece, start, length });
  }

  handleCommandComplete(): void {}

  handleReadyForQuery(): void {
    this.#done.resolve(this.#rows);
  }

  handleError(error: unknown): void {
    this.#done.reject(error);
  }

  #reserve(bytes: number): number {
    if (this.#used + bytes > this.#piece.length) {
      this.#piece = Buffer.allocUnsafeSlow(Math.max(bytes, Math.min(MAX_PIECE_BYTES, this.#rowBytes)));
      this.#used = 0;
    }
    const start = this.#used;
    this.#used += bytes;
    this.#rowBytes += bytes;
    return start;
  }
}
