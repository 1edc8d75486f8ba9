import { createHash } from "node:crypto";
import { existsSync, globSync, readFileSync } from "node:fs";
import { mkdir, rename, rm } from "node:fs/promises";
import { join } from "node:path";

/** The tree that the foreign clients are made from. */
export const ROOT = join(import.meta.dirname, "../..");

/** What is made is kept here until what it is made from changes. */
const CACHE = join(ROOT, "build/foreign");

/** Where protoc finds its imports: Satchel's, and google.rpc for the details of errors. */
export const PROTO_PATHS = [join(ROOT, "proto"), join(ROOT, "node_modules/google-gax/build/protos")] as const;

const GOOGLE_RPC = ["google/rpc/status.proto", "google/rpc/error_details.proto"];

/** Every .proto of Satchel, and those of the details, as protoc names them. */
export function protoFiles(): readonly string[] {
  return [...globSync("**/*.proto", { cwd: PROTO_PATHS[0] }).toSorted(), ...GOOGLE_RPC];
}

/**
 * A directory that `make` has filled, from the cache when nothing has changed: neither the .proto files, nor `sources`,
 * nor `recipe`, the commands that `make` runs.
 */
export async function made(
  name: string,
  { sources, recipe }: { readonly sources: readonly string[]; readonly recipe: readonly string[] },
  make: (directory: string) => Promise<void>,
): Promise<string> {
  const hash = createHash("sha256").update(JSON.stringify(recipe));
  const files = [
    ...globSync("**/*.proto", { cwd: PROTO_PATHS[0] })
      .toSorted()
      .map((file) => join(PROTO_PATHS[0], file)),
    ...sources,
  ];
  for (const file of files) hash.update(`\0${file}\0`).update(readFileSync(file));
  const directory = join(CACHE, `${name}-${hash.digest("hex").slice(0, 16)}`);
  if (existsSync(directory)) return directory;
  const unfinished = `${directory}.unfinished`;
  await rm(unfinished, { recursive: true, force: true });
  await mkdir(unfinished, { recursive: true });
  await make(unfinished);
  await rename(unfinished, directory);
  return directory;
}
