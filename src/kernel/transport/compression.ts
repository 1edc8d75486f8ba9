import { compressionGzip } from "@connectrpc/connect-node";
import { promisify } from "node:util";
import { constants, gzip as gzipWithCallback } from "node:zlib";

const compress = promisify(gzipWithCallback);

/**
 * gzip, the compression that clients may ask for, at its fastest level: a third of the time of the default level, for
 * nearly the same size. Brotli's default level takes a hundred times as long: a few callers could keep a core busy.
 */
export const COMPRESSIONS = [
  {
    ...compressionGzip,
    compress: gzip,
  },
];

/** Smaller messages are not compressed. */
export const COMPRESS_MIN_BYTES = 16 * 1024;

/** Compresses bytes at that level. */
export async function gzip(bytes: Uint8Array): Promise<Uint8Array<ArrayBuffer>> {
  return new Uint8Array(await compress(bytes, { level: constants.Z_BEST_SPEED }));
}

/** Decompresses bytes. Rejects when they are not gzip, or would be more than `maxBytes`. */
export function gunzip(bytes: Uint8Array, maxBytes: number): Promise<Uint8Array> {
  return compressionGzip.decompress(new Uint8Array(bytes), maxBytes);
}
