import { spawn } from "node:child_process";
import { once } from "node:events";
import { copyFileSync, globSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createClient } from "../../clients/typescript/src/index.ts";
import { type ServerProcess, startServer } from "../support/server-process.ts";
import { install, NODE_DIRECTORIES, type NodeMajor, pack, type PackedPackage, runOn, succeeded } from "./npm.ts";

const MAJORS = [20, 22, 24] as const satisfies readonly NodeMajor[];
const SETUP_TIMEOUT_MS = 300_000;
const ONE_LINE = /^satchel: this is Node 2\d\.\d+\.\d+; Satchel needs Node 24 or later\n$/;

const directory = mkdtempSync(join(tmpdir(), "satchel-packages-"));
const project = (name: string | number): string => join(directory, `project-${name}`);
const satchel = join(project("server"), "node_modules/.bin/satchel");
let packedServer: PackedPackage;
let packedClient: PackedPackage;
let server: ServerProcess;

beforeAll(async () => {
  [packedServer, packedClient] = await Promise.all([pack(".", directory), pack("clients/typescript", directory)]);
  await Promise.all([
    install(24, project("server"), [packedServer]),
    ...MAJORS.map((major) => install(major, project(major), [packedClient], "clients/typescript")),
  ]);
  server = await startServer({ main: join(project("server"), "node_modules/satchel/bin/satchel.cjs") });
  for (const major of MAJORS) await compileExamples(project(major));
}, SETUP_TIMEOUT_MS);

afterAll(async () => {
  await server?.[Symbol.asyncDispose]();
  rmSync(directory, { recursive: true, force: true });
});

describe("the package of the client", () => {
  test("has the files that it names, and no others", () => {
    const source = globSync("**/*.ts", { cwd: "clients/typescript/src" }).map((path) => path.replace(/\.ts$/, ""));
    const compiled = source.flatMap((path) => [`dist/${path}.js`, `dist/${path}.d.ts`]);
    expect(packedClient.files).toEqual(
      ["CHANGELOG.md", "LICENSE", "README.md", ...compiled, "package.json"].toSorted(),
    );
  });

  test.each(MAJORS)("installs nothing of the server's on Node %i", (major) => {
    expect(installedIn(project(major))).toEqual([
      "@bufbuild/protobuf",
      "@connectrpc/connect",
      "@connectrpc/connect-node",
      "@connectrpc/connect-web",
      "@satchel/client",
    ]);
  });

  test.each(MAJORS)("does what README says on Node %i", async (major) => {
    const token = await namespaceToken(`readme-${major}`);
    const started = spawn(join(NODE_DIRECTORIES[major], "node"), ["readme.mjs"], {
      cwd: project(major),
      env: { ...process.env, TOKEN: token },
      stdio: ["ignore", "pipe", "inherit"],
    });
    const exited = once(started, "exit");
    let output = "";
    started.stdout.on("data", (chunk: Buffer) => (output += chunk.toString()));
    // It follows the category for ever.
    await expect.poll(() => output, { timeout: 20_000 }).toMatch(/^\d+n account-2 Opened \{"owner": ?"Ada"\}$/m);
    started.kill();
    await exited;
  });

  test.each(MAJORS)("works in every area on Node %i", async (major) => {
    const env = { URL: server.url, TOKEN: await namespaceToken(`areas-${major}`) };
    const { stdout } = await succeeded(runOn(major, "node", ["every-area.mjs"], { cwd: project(major), env }));
    expect(stdout).toBe("every area works\n");
  });
});

describe("the package of the server", () => {
  test("has the files that it names, and no others", () => {
    const source = globSync("**/*.ts", { cwd: "src" }).map((path) => `dist/${path.replace(/\.ts$/, ".js")}`);
    const protos = globSync("proto/**/*.proto");
    const others = ["CHANGELOG.md", "LICENSE", "README.md", "bin/check-node.cjs", "bin/satchel.cjs", "package.json"];
    expect(packedServer.files).toEqual([...others, ...source, ...protos].toSorted());
  });

  test("has nothing of the client's in it", () => {
    expect(installedIn(project("server"))).not.toContain("@satchel/client");
  });

  test("starts with its command", async () => {
    expect((await succeeded(runOn(24, satchel, ["--version"]))).stdout).toMatch(/^\d+\.\d+\.\d+\n$/);
  });

  test.each([20, 22] as const)("says in one line which Node it needs when Node %i starts it", async (major) => {
    const command = await runOn(major, satchel, ["serve"]);
    expect(command).toEqual({ code: 1, stdout: "", stderr: expect.stringMatching(ONE_LINE) });
    const { scripts } = JSON.parse(readFileSync("package.json", "utf8")) as { scripts: { start: string } };
    const start = await runOn(major, "sh", ["-c", scripts.start], { cwd: resolve(".") });
    expect(start).toEqual({ code: 1, stdout: "", stderr: expect.stringMatching(ONE_LINE) });
  });
});

/** Compiles README's snippet and every-area.mts against the installed types, for the oldest Node. */
async function compileExamples(target: string): Promise<void> {
  const [, snippet] = /```ts\n([\s\S]*?)```/.exec(readFileSync("README.md", "utf8"))!;
  writeFileSync(join(target, "readme.mts"), snippet!.replace("http://127.0.0.1:4600", server.url));
  copyFileSync("test/packages/every-area.mts", join(target, "every-area.mts"));
  const compilerOptions = {
    target: "es2022",
    module: "nodenext",
    // Connect's own types need DOM.
    lib: ["es2022", "dom", "dom.iterable"],
    strict: true,
    skipLibCheck: false,
    types: ["node"],
    typeRoots: [resolve("clients/typescript/node_modules/@types")],
  };
  writeFileSync(join(target, "tsconfig.json"), JSON.stringify({ compilerOptions, include: ["*.mts"] }));
  await succeeded(runOn(24, "tsc", ["-p", target]));
}

/** The token of a new namespace. */
async function namespaceToken(namespaceId: string): Promise<string> {
  using operator = createClient({ baseUrl: server.url, token: await server.rootToken() });
  return (await operator.namespaces.create(namespaceId)).token;
}

function installedIn(target: string): readonly string[] {
  return globSync("node_modules/{*,@*/*}/package.json", { cwd: target })
    .map((path) => path.slice("node_modules/".length, -"/package.json".length))
    .toSorted();
}
