import type { JsonReadOptions, JsonWriteOptions } from "@bufbuild/protobuf";

/** The settings of all calls. */
export interface Settings {
  readonly json: Partial<JsonReadOptions & JsonWriteOptions>;
  readonly readMaxBytes: number;
  readonly writeMaxBytes: number;
  readonly compressMinBytes: number;
}
