/**
 * Header blocks of HTTP/2 (HPACK, RFC 7541) without a dynamic table. A block then does not depend on earlier blocks, so the
 * same bytes can be sent repeatedly.
 */

/** The static table; its first entry has index 1. Here a space separates a name from its value. */
const STATIC_TABLE = [
  ...[":authority", ":method GET", ":method POST", ":path /", ":path /index.html", ":scheme http", ":scheme https"],
  ...[200, 204, 206, 304, 400, 404, 500].map((status) => `:status ${status}`),
  ...["accept-charset", "accept-encoding gzip, deflate", "accept-language", "accept-ranges", "accept"],
  ...["access-control-allow-origin", "age", "allow", "authorization", "cache-control", "content-disposition"],
  ...["content-encoding", "content-language", "content-length", "content-location", "content-range", "content-type"],
  ...["cookie", "date", "etag", "expect", "expires", "from", "host", "if-match", "if-modified-since", "if-none-match"],
  ...["if-range", "if-unmodified-since", "last-modified", "link", "location", "max-forwards", "proxy-authenticate"],
  ...["proxy-authorization", "range", "referer", "refresh", "retry-after", "server", "set-cookie"],
  ...["strict-transport-security", "transfer-encoding", "user-agent", "vary", "via", "www-authenticate"],
].map((entry): Field => {
  const [name = "", ...value] = entry.split(" ");
  return [name, value.join(" ")];
});

/** The Huffman code, as symbols by the length of their codes: the code is canonical, so the lengths define it. ASCII only. */
const SYMBOLS_BY_BITS: Readonly<Record<number, string>> = {
  5: "012aceiost",
  6: " %-./3456789=A_bdfghlmnpru",
  7: ":BCDEFGHIJKLMNOPQRSTUVWYjkqvwxyz",
  8: "&*,;XZ",
  10: '!"()?',
  11: "'+|",
  12: "#>",
  13: "\0$@[]~",
  14: "^}",
  15: "<`{",
  19: "\\",
};
const MOST_BITS = 19;
const HUFFMAN = huffmanCodes();

/** A header field; its name is in lower case. */
export type Field = readonly [name: string, value: string];

/** Encodes fields into a header block that adds nothing to the server's dynamic table. */
export function encodeFields(fields: readonly Field[]): Buffer {
  return Buffer.concat(fields.map(encodeField));
}

/**
 * Decodes a header block. Throws if it is truncated, refers to the dynamic table, or has Huffman-coded text that is not ASCII.
 */
export function decodeFields(block: Uint8Array): Field[] {
  const reader = new BlockReader(block);
  const fields: Field[] = [];
  while (!reader.atEnd) {
    const field = reader.field();
    if (field !== undefined) fields.push(field);
  }
  return fields;
}

function encodeField([name, value]: Field): Buffer {
  const exact = STATIC_TABLE.findIndex((entry) => entry[0] === name && entry[1] === value) + 1;
  if (exact > 0) return Buffer.from([0x80 | exact]);
  const named = STATIC_TABLE.findIndex((entry) => entry[0] === name) + 1;
  const start = encodeInteger(named, 4);
  return Buffer.concat(named > 0 ? [start, encodeText(value)] : [start, encodeText(name), encodeText(value)]);
}

function encodeText(text: string): Buffer {
  const bytes = Buffer.from(text, "latin1");
  return Buffer.concat([encodeInteger(bytes.length, 7), bytes]);
}

/** Encodes an integer (RFC 7541, 5.1); the bits before the prefix are 0. */
function encodeInteger(value: number, prefixBits: number): Buffer {
  const most = 2 ** prefixBits - 1;
  if (value < most) return Buffer.from([value]);
  const bytes = [most];
  let rest = value - most;
  for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) bytes.push((rest % 0x80) | 0x80);
  return Buffer.from([...bytes, rest]);
}

class BlockReader {
  readonly #bytes: Uint8Array;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  get atEnd(): boolean {
    return this.#at === this.#bytes.length;
  }

  /** Reads the next field; undefined for a change of the dynamic table's size. */
  field(): Field | undefined {
    const kind = this.#peek();
    if (kind >= 0x80) return this.#entry(this.#integer(7));
    if (kind >= 0x20 && kind < 0x40) return void this.#integer(5);
    const index = this.#integer(kind >= 0x40 ? 6 : 4);
    const name = index === 0 ? this.#text() : this.#entry(index)[0];
    return [name, this.#text()];
  }

  #entry(index: number): Field {
    const entry = STATIC_TABLE[index - 1];
    if (entry === undefined)
      throw new Error(`a header block refers to entry ${index}, which is not in the static table`);
    return entry;
  }

  #peek(): number {
    const byte = this.#bytes[this.#at];
    if (byte === undefined) throw new Error("a header block has been cut off");
    return byte;
  }

  #byte(): number {
    const byte = this.#peek();
    this.#at += 1;
    return byte;
  }

  #integer(prefixBits: number): number {
    const most = 2 ** prefixBits - 1;
    let value = this.#byte() & most;
    if (value < most) return value;
    for (let scale = 1; ; scale *= 0x80) {
      const byte = this.#byte();
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return value;
    }
  }

  #text(): string {
    const coded = this.#peek() >= 0x80;
    const end = this.#integer(7) + this.#at;
    if (end > this.#bytes.length) throw new Error("a header block has been cut off");
    const bytes = this.#bytes.subarray(this.#at, end);
    this.#at = end;
    return coded ? huffmanText(bytes) : Buffer.from(bytes).toString("latin1");
  }
}

/** Maps a code to its symbol. A 1 is put before the first bit of a code, so that codes of different length differ. */
function huffmanCodes(): Map<number, string> {
  const codes = new Map<number, string>();
  let code = 0;
  for (let bits = 1; bits <= MOST_BITS; bits++) {
    code *= 2;
    for (const symbol of SYMBOLS_BY_BITS[bits] ?? "") codes.set(2 ** bits + code++, symbol);
  }
  return codes;
}

function huffmanText(bytes: Uint8Array): string {
  let text = "";
  let code = 1;
  for (const byte of bytes) {
    for (let bit = 7; bit >= 0; bit--) {
      code = code * 2 + ((byte >> bit) & 1);
      const symbol = HUFFMAN.get(code);
      if (symbol === undefined) continue;
      text += symbol;
      code = 1;
    }
  }
  // The rest must be padding: fewer than 8 bits, all ones.
  if (code >= 2 ** 8 || (code & (code + 1)) !== 0) throw new Error("a header has Huffman-coded text that is not ASCII");
  return text;
}
