import { availableParallelism } from "node:os";
import { join } from "node:path";
import type { Checks } from "./checks.ts";
import { run } from "./commands.ts";
import { made, PROTO_PATHS, protoFiles } from "./protos.ts";
import type { Target } from "./target.ts";

const CLIENT = join(import.meta.dirname, "cpp/client.cc");
const FLAGS = ["-std=c++17", "-O0", "-g0", "-pipe"];
const COMPILE_TIMEOUT_MS = 600_000;

/** Generates and compiles a C++ client, unless that has been done before, and runs its checks. */
export async function checkCpp(target: Target, checks: Checks): Promise<void> {
  const recipe = [...FLAGS, ...protoFiles()];
  const directory = await made("cpp", { sources: [CLIENT], recipe }, compile);
  checks.pass("g++ compiles it");
  const env = { SATCHEL_TEST_TARGET: target.host, SATCHEL_TEST_TOKEN: await target.newToken() };
  checks.report(await run(join(directory, "client"), [], { env }));
}

async function compile(directory: string): Promise<void> {
  const includes = PROTO_PATHS.flatMap((path) => ["-I", path]);
  const plugin = "--plugin=protoc-gen-grpc=/usr/bin/grpc_cpp_plugin";
  await run("protoc", [...includes, plugin, `--cpp_out=${directory}`, `--grpc_out=${directory}`, ...protoFiles()]);
  const stems = protoFiles().map((file) => file.replace(/\.proto$/, ""));
  const services = stems.filter((stem) => stem === "satchel/v1/streams");
  const sources = [...stems.map((stem) => `${stem}.pb.cc`), ...services.map((stem) => `${stem}.grpc.pb.cc`), CLIENT];
  const pending = sources.map((source, index) => ({ source, object: `${index}.o` }));
  const objects = pending.map(({ object }) => object);
  const worker = async (): Promise<void> => {
    for (let next = pending.shift(); next !== undefined; next = pending.shift()) {
      const args = [...FLAGS, "-I", ".", "-c", next.source, "-o", next.object];
      await run("g++", args, { cwd: directory, timeoutMs: COMPILE_TIMEOUT_MS });
    }
  };
  await Promise.all(Array.from({ length: availableParallelism() }, worker));
  const libraries = (await run("pkg-config", ["--libs", "grpc++", "protobuf"])).trim().split(/\s+/);
  await run("g++", ["-o", "client", ...objects, ...libraries], { cwd: directory, timeoutMs: COMPILE_TIMEOUT_MS });
}
