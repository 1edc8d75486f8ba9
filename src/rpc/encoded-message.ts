import { type DescMessage, type MessageShape, fromBinary } from "@bufbuild/protobuf";

/** Under what a message keeps its bytes. */
const ENCODED = Symbol("encoded");

/** The bytes of a message, and what is made of them once for all who get it. */
export interface Encoded {
  readonly bytes: Uint8Array;
  /** As protocols with envelopes send it. */
  frame?: Uint8Array;
  /** The same, compressed by gzip. */
  gzipFrame?: Promise<Uint8Array>;
}

/**
 * A message of which the bytes are there already, to be sent to any number of callers. Where they can be sent as they
 * are, nothing is encoded; everywhere else it is a message like any other, whose fields are decoded when the first of
 * them is read. Neither the bytes nor the fields may be changed.
 */
export function encodedMessage<Desc extends DescMessage>(schema: Desc, bytes: Uint8Array): MessageShape<Desc> {
  let decoded: MessageShape<Desc> | undefined;
  const message = { $typeName: schema.typeName, [ENCODED]: { bytes } };
  for (const name of [...schema.members.map(({ localName }) => localName), "$unknown"]) {
    const get = (): unknown => {
      decoded ??= fromBinary(schema, bytes);
      return (decoded as Readonly<Record<string, unknown>>)[name];
    };
    Object.defineProperty(message, name, { get, enumerable: true });
  }
  return message as unknown as MessageShape<Desc>;
}

/** What `encodedMessage` was given; undefined for any other message. */
export function encodedOf(message: object): Encoded | undefined {
  return (message as { readonly [ENCODED]?: Encoded })[ENCODED];
}
