import { readFileSync } from "node:fs";

/** Satchel's version, as in its package.json; the file is one directory up from src/ and from dist/. */
export const VERSION: string = JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8")).version;
