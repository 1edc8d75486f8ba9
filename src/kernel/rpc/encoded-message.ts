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
export function lazyMessage<Desc extends DescMessage>(schema: Desc, forms: MessageForms<Desc>): MessageShape<Desc> {
  const message = { $typeName: schema.typeName, [ENCODED]: new LazyEncoded(forms) };
  return Object.defineProperties(message, fieldsOf(schema)) as unknown as MessageShape<Desc>;
}

/** Both forms of a message, once they are made. */
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

/** The fields of such messages. All messages of a schema have the same getters, or each would be of a kind of its own to V8. */
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

/** A message whose bytes are there already; its fields are decoded when the first of them is read. */
export function encodedMessage<Desc extends DescMessage>(schema: Desc, bytes: Uint8Array): MessageShape<Desc> {
  return lazyMessage(schema, { encode: () => bytes, make: () => fromBinary(schema, bytes) });
}

/** The bytes of a message of this file; undefined for any other. */
export function encodedOf(message: object): Encoded | undefined {
  return (message as { readonly [ENCODED]?: Encoded })[ENCODED];
}
