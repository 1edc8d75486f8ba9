import { build } from "esbuild";
import { gzipSync } from "node:zlib";
import { expect, test } from "vitest";

/** Gzipped. 33,000 of it are Connect's transport and protobuf's runtime, which an application with one RPC loads too. */
const MAX_BYTES = 56_000;

const { metafile, outputFiles } = await build({
  entryPoints: ["clients/typescript/src/web.ts"],
  bundle: true,
  minify: true,
  write: false,
  metafile: true,
  format: "esm",
  platform: "browser",
  // Whatever is of Node would be left in as an import, and seen below.
  external: ["node:*"],
});
const inputs = Object.entries(metafile.inputs);

test("what a browser loads imports nothing of Node", () => {
  const fromNode = inputs.filter(([, { imports }]) => imports.some(({ path }) => path.startsWith("node:")));
  expect(fromNode.map(([path]) => path)).toEqual([]);
  expect(inputs.map(([path]) => path).filter((path) => path.includes("connect-node"))).toEqual([]);
});

test("what a browser loads has no validation rules in it, and is small", () => {
  const [bundle] = outputFiles;
  expect(inputs.map(([path]) => path).filter((path) => path.includes("protovalidate"))).toEqual([]);
  expect(bundle!.text).not.toContain("buf/validate");
  expect(gzipSync(bundle!.contents).length).toBeLessThan(MAX_BYTES);
});
