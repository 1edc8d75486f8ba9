import { compressionGzip } from "@connectrpc/connect-node";
import { promisify } from "node:util";
import { constants, gzip as gzipWithCallback } from "node:zlib";

const compress = promisify(gzipWithCallback);

/**
 * The compression that clients may ask for. The fastest level: it takes a third of the default's time for nearly its
 * result. No brotli, whose default level takes a hundred times as long: a few callers could keep a core busy with it.
 */
export const COMPRESSIONS = [
  {
    ...compressionGzip,
    compress: gzip,
  },
];

/** Responses below this are sent as they are. */
export const COMPRESS_MIN_BYTES = 16 * 1024;

/** Compresses bytes at that level. */
export async function gzip(bytes: Uint8Array): Promise<Uint8Array<ArrayBuffer>> {
  return new Uint8Array(await compress(bytes, { level: constants.Z_BEST_SPEED }));
}

/** Throws when they are not compressed by gzip, or come to more than `maxBytes`. */
export function gunzip(bytes: Uint8Array, maxBytes: number): Promise<Uint8Array> {
  return compressionGzip.decompress(new Uint8Array(bytes), maxBytes);
}
