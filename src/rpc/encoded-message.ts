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

/** The two forms of a message; each is asked for at most once. */
export interface MessageForms<Desc extends DescMessage> {
  readonly encode: () => Uint8Array;
  readonly make: () => MessageShape<Desc>;
}

/**
 * A message in whichever form is needed, made when it is first needed, for any number of callers: its bytes where they can be
 * sent as they are, its fields everywhere else. Neither may be changed.
 */
export function lazyMessage<Desc extends DescMessage>(
  schema: Desc,
  { encode, make }: MessageForms<Desc>,
): MessageShape<Desc> {
  let bytes: Uint8Array | undefined;
  let made: MessageShape<Desc> | undefined;
  const encoded: Encoded = {
    get bytes() {
      return (bytes ??= encode());
    },
  };
  const message = { $typeName: schema.typeName, [ENCODED]: encoded };
  for (const name of [...schema.members.map(({ localName }) => localName), "$unknown"]) {
    const get = (): unknown => ((made ??= make()) as Readonly<Record<string, unknown>>)[name];
    Object.defineProperty(message, name, { get, enumerable: true });
  }
  return message as unknown as MessageShape<Desc>;
}

/** A message whose bytes are there already; its fields are decoded when the first of them is read. */
export function encodedMessage<Desc extends DescMessage>(schema: Desc, bytes: Uint8Array): MessageShape<Desc> {
  return lazyMessage(schema, { encode: () => bytes, make: () => fromBinary(schema, bytes) });
}

/** The bytes of a message of this file; undefined for any other. */
export function encodedOf(message: object): Encoded | undefined {
  return (message as { readonly [ENCODED]?: Encoded })[ENCODED];
}
