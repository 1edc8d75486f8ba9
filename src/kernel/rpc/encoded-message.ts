import { type DescMessage, type MessageShape, fromBinary } from "@bufbuild/protobuf";

/** The property of a message that holds its bytes. */
const ENCODED = Symbol("encoded");

/** The bytes of a message, and the frames made of them, which all callers share. */
export interface Encoded {
  readonly bytes: Uint8Array;
  /** With the envelope of its protocol. */
  frame?: Uint8Array;
  /** With its envelope, compressed by gzip. */
  gzipFrame?: Promise<Uint8Array>;
}

/** Functions that make the bytes and the fields of a message. Each is called at most once. */
export interface MessageForms<Desc extends DescMessage> {
  readonly encode: () => Uint8Array;
  readonly make: () => MessageShape<Desc>;
}

/**
 * A message whose bytes and fields are made when they are first needed: the bytes where they are sent unchanged, the fields
 * everywhere else. It can be sent to any number of callers, and must not be changed.
 */
export function lazyMessage<Desc extends DescMessage>(schema: Desc, forms: MessageForms<Desc>): MessageShape<Desc> {
  const message = { $typeName: schema.typeName, [ENCODED]: new LazyEncoded(forms) };
  return Object.defineProperties(message, fieldsOf(schema)) as unknown as MessageShape<Desc>;
}

/** The bytes and the fields, once they are made. */
class LazyEncoded implements Encoded {
  frame?: Uint8Array;
  gzipFrame?: Promise<Uint8Array>;
  readonly #forms: MessageForms<DescMessage>;
  #bytes: Uint8Array | undefined;
  #made: object | undefined;

  constructor(forms: MessageForms<DescMessage>) {
    this.#forms = forms;
  }

  get bytes(): Uint8Array {
    return (this.#bytes ??= this.#forms.encode());
  }

  field(name: string): unknown {
    this.#made ??= this.#forms.make();
    return (this.#made as Readonly<Record<string, unknown>>)[name];
  }
}

interface Lazy {
  readonly [ENCODED]: LazyEncoded;
}

const FIELDS = new Map<DescMessage, PropertyDescriptorMap>();

/** The getters of the fields. All messages of a schema share them, so that V8 gives them one hidden class. */
function fieldsOf(schema: DescMessage): PropertyDescriptorMap {
  let fields = FIELDS.get(schema);
  if (fields === undefined) {
    fields = {};
    for (const name of [...schema.members.map(({ localName }) => localName), "$unknown"]) {
      fields[name] = {
        enumerable: true,
        get(this: Lazy): unknown {
          return this[ENCODED].field(name);
        },
      };
    }
    FIELDS.set(schema, fields);
  }
  return fields;
}

/** A message of existing bytes. Its fields are decoded when one of them is first read. */
export function encodedMessage<Desc extends DescMessage>(schema: Desc, bytes: Uint8Array): MessageShape<Desc> {
  return lazyMessage(schema, { encode: () => bytes, make: () => fromBinary(schema, bytes) });
}

/** The bytes of a message made by this file; undefined for any other. */
export function encodedOf(message: object): Encoded | undefined {
  return (message as { readonly [ENCODED]?: Encoded })[ENCODED];
}
