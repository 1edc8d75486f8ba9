import { readFileSync } from "node:fs";
import { StartError } from "../start-error.ts";
import { parseServiceKey, type ServiceKey } from "./service-key.ts";

/**
 * The keys in a file, one a line; the first makes what is new, the others are still accepted. Empty lines, and those
 * that begin with "#", do not count. Throws StartError, which never repeats a line, when the file has something else.
 */
export function readServiceKeys(path: string | undefined): readonly ServiceKey[] {
  if (path === undefined) return [];
  const lines = contentOf(path)
    .split("\n")
    .map((line) => line.trim());
  const keys = lines.flatMap((line, index) => {
    if (line === "" || line.startsWith("#")) return [];
    const key = parseServiceKey(line);
    if (key !== undefined) return [key];
    const what = "must be 32 bytes, as 64 hexadecimal digits or in base64";
    throw new StartError(`SATCHEL_ENCRYPTION_KEY_FILE: line ${index + 1} of ${path} ${what}`);
  });
  if (keys.length === 0) throw new StartError(`SATCHEL_ENCRYPTION_KEY_FILE: ${path} has no key`);
  return keys;
}

function contentOf(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new StartError(`SATCHEL_ENCRYPTION_KEY_FILE: ${reason}`, { cause: error });
  }
}
