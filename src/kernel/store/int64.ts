import { BigIntType } from "@mikro-orm/core";

/** A 64-bit integer. It is read as text, because SQLite's driver would round it to a number that JavaScript has. */
export class Int64Type extends BigIntType {
  override convertToJSValueSQL(key: string): string {
    return `cast(${key} as text)`;
  }
}
