import type { JsonReadOptions, JsonWriteOptions } from "@bufbuild/protobuf";

/** What is the same for all calls. */
export interface Settings {
  readonly json: Partial<JsonReadOptions & JsonWriteOptions>;
  readonly readMaxBytes: number;
  readonly writeMaxBytes: number;
  readonly compressMinBytes: number;
}
