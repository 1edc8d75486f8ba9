import { compressionGzip } from "@connectrpc/connect-node";
import { promisify } from "node:util";
import { constants, gzip } from "node:zlib";

const compress = promisify(gzip);

/**
 * The compression that clients may ask for. The fastest level: it takes a third of the default's time for nearly its
 * result. No brotli, whose default level takes a hundred times as long: a few callers could keep a core busy with it.
 */
export const COMPRESSIONS = [
  {
    ...compressionGzip,
    compress: async (bytes: Uint8Array): Promise<Uint8Array<ArrayBuffer>> =>
      new Uint8Array(await compress(bytes, { level: constants.Z_BEST_SPEED })),
  },
];

/** Responses below this are sent as they are. */
export const COMPRESS_MIN_BYTES = 16 * 1024;
