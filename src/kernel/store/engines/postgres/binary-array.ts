/** What an array holds, as PostgreSQL's catalog numbers its types. */
const ELEMENT_OIDS = { int4: 23, int8: 20, text: 25, uuid: 2950, jsonb: 3802 } as const;

const DIMENSIONS = 1;
const HEAD_BYTES = 20;
const LENGTH_BYTES = 4;
const NULL_LENGTH = -1;
const UUID_BYTES = 16;
/** Before the text of a jsonb: the version of the format. */
const JSONB_VERSION = 1;

// Arrays in PostgreSQL's binary format, which the driver passes on as they are: nothing in them has to be quoted here and
// unquoted there, which for JSON would be every quotation mark.

/** An integer[]. */
export function int4Array(values: readonly number[]): Buffer {
  const array = allocate("int4", values.length, values.length * (LENGTH_BYTES + 4), false);
  let at = HEAD_BYTES;
  for (const value of values) {
    at = array.writeInt32BE(4, at);
    at = array.writeInt32BE(value, at);
  }
  return array;
}

/** A bigint[]. */
export function int8Array(values: readonly (bigint | null)[]): Buffer {
  let bytes = 0;
  for (const value of values) bytes += LENGTH_BYTES + (value === null ? 0 : 8);
  const array = allocate("int8", values.length, bytes, values.includes(null));
  let at = HEAD_BYTES;
  for (const value of values) {
    at = array.writeInt32BE(value === null ? NULL_LENGTH : 8, at);
    if (value !== null) at = array.writeBigInt64BE(value, at);
  }
  return array;
}

/** A text[]. */
export function textArray(values: readonly string[]): Buffer {
  const lengths = values.map((value) => Buffer.byteLength(value));
  const array = allocate("text", values.length, sum(lengths) + LENGTH_BYTES * values.length, false);
  let at = HEAD_BYTES;
  for (const [index, value] of values.entries()) {
    at = array.writeInt32BE(lengths[index] ?? 0, at);
    at += array.write(value, at);
  }
  return array;
}

/** A uuid[]. */
export function uuidArray(values: readonly string[]): Buffer {
  const array = allocate("uuid", values.length, values.length * (LENGTH_BYTES + UUID_BYTES), false);
  let at = HEAD_BYTES;
  for (const value of values) {
    at = array.writeInt32BE(UUID_BYTES, at);
    at += array.write(value.replaceAll("-", ""), at, "hex");
  }
  return array;
}

/** A jsonb[] of JSON texts. */
export function jsonbArray(values: readonly (string | null)[]): Buffer {
  const lengths = values.map((value) => (value === null ? 0 : 1 + Buffer.byteLength(value)));
  const array = allocate("jsonb", values.length, sum(lengths) + LENGTH_BYTES * values.length, values.includes(null));
  let at = HEAD_BYTES;
  for (const [index, value] of values.entries()) {
    at = array.writeInt32BE(value === null ? NULL_LENGTH : (lengths[index] ?? 0), at);
    if (value === null) continue;
    at = array.writeUInt8(JSONB_VERSION, at);
    at += array.write(value, at);
  }
  return array;
}

/** An array with its head; the elements, which take so many bytes with their lengths, are the caller's to write. */
function allocate(type: keyof typeof ELEMENT_OIDS, count: number, bytes: number, hasNull: boolean): Buffer {
  const array = Buffer.allocUnsafe(HEAD_BYTES + bytes);
  let at = array.writeInt32BE(DIMENSIONS, 0);
  at = array.writeInt32BE(hasNull ? 1 : 0, at);
  at = array.writeInt32BE(ELEMENT_OIDS[type], at);
  at = array.writeInt32BE(count, at);
  array.writeInt32BE(1, at);
  return array;
}

function sum(lengths: readonly number[]): number {
  return lengths.reduce((total, length) => total + length, 0);
}
