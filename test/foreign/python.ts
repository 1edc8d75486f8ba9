import { join } from "node:path";
import type { Checks } from "./checks.ts";
import { run } from "./commands.ts";
import { made, PROTO_PATHS, protoFiles } from "./protos.ts";
import type { Target } from "./target.ts";

/** Debian's, which python3-grpcio belongs to; the python3 of the path may be another one. */
const PYTHON = "/usr/bin/python3";
const CLIENT = join(import.meta.dirname, "python/client.py");

/** Generates a Python client and runs its checks. */
export async function checkPython(target: Target, checks: Checks): Promise<void> {
  const includes = PROTO_PATHS.flatMap((path) => ["-I", path]);
  const plugin = "--plugin=protoc-gen-grpc_python=/usr/bin/grpc_python_plugin";
  const recipe = [...includes, plugin, ...protoFiles()];
  const generated = await made("python", { sources: [], recipe }, async (directory) => {
    await run("protoc", [...recipe, `--python_out=${directory}`, `--grpc_python_out=${directory}`]);
  });
  checks.pass("protoc generates it");
  const env = { PYTHONPATH: generated, SATCHEL_TEST_TARGET: target.host, SATCHEL_TEST_TOKEN: await target.newToken() };
  checks.report(await run(PYTHON, [CLIENT], { env }));
}
