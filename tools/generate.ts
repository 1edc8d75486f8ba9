/**
 * Makes what is generated and committed: the code of the server, and that of the TypeScript client. With --check it writes
 * nothing and fails when what is committed is not what it would make.
 */
import { fromBinary, toBinary } from "@bufbuild/protobuf";
import { FileDescriptorProtoSchema } from "@bufbuild/protobuf/wkt";
import { execFileSync } from "node:child_process";
import { globSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const CLIENT_CODE = "clients/typescript/src/gen";
/** The directories of generated code, by the template that makes each. */
const GENERATED_CODE = { "buf.gen.yaml": "src/gen", "clients/typescript/buf.gen.yaml": CLIENT_CODE } as const;

if (process.argv.includes("--check")) check();
else generate(".");

function generate(root: string): void {
  for (const template of Object.keys(GENERATED_CODE))
    execFileSync("node_modules/.bin/buf", ["generate", "--template", template, "--output", root], { stdio: "inherit" });
  for (const path of globSync(join(root, CLIENT_CODE, "**/*_pb.ts")))
    writeFileSync(path, withSmallDescriptor(readFileSync(path, "utf8")));
}

/**
 * Makes the descriptor in generated code smaller for browsers, by 5 kB in all: as plain text, which compresses better than
 * base64, and without the options for the code of other languages.
 */
function withSmallDescriptor(code: string): string {
  return code.replace(/fileDesc\("([^"]+)"/, (_call, base64: string) => {
    const descriptor = fromBinary(FileDescriptorProtoSchema, Buffer.from(base64, "base64"));
    delete descriptor.options;
    const text = Buffer.from(toBinary(FileDescriptorProtoSchema, descriptor)).toString("latin1");
    return `fileDesc(/*@__PURE__*/ btoa(${JSON.stringify(text)})`;
  });
}

function check(): void {
  const fresh = mkdtempSync(join(tmpdir(), "satchel-generate-"));
  try {
    generate(fresh);
    const generated = Object.values(GENERATED_CODE).flatMap((directory) => filesOf(".", fresh, directory));
    const stale = generated.filter((path) => read(path) !== read(join(fresh, path)));
    if (stale.length === 0) return;
    console.error(`Not as "npm run generate" makes it:\n${stale.map((path) => `  ${path}`).join("\n")}`);
    process.exitCode = 1;
  } finally {
    rmSync(fresh, { recursive: true });
  }
}

/** Every file below `directory` that is in one of the two roots, or in both. */
function filesOf(here: string, fresh: string, directory: string): string[] {
  const paths = [here, fresh].flatMap((root) =>
    readdirSync(join(root, directory), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name).slice(join(root, "x").length - 1)),
  );
  return [...new Set(paths)].toSorted();
}

function read(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return undefined;
  }
}
