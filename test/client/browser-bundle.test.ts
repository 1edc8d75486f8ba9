import { build } from "esbuild";
import { expect, test } from "vitest";

/**
 * Minified; a third of it is the schema of the validation rules, which the generated files import. Consumer groups are
 * 23,000: a third of that is their schema, the rest calls them and takes part in them. Sessions are about as much.
 */
const MAX_BYTES = 285_000;

test("what a browser loads imports nothing of Node", async () => {
  const { metafile, outputFiles } = await build({
    entryPoints: ["src/client/web.ts"],
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
  const fromNode = inputs.filter(([, { imports }]) => imports.some(({ path }) => path.startsWith("node:")));
  expect(fromNode.map(([path]) => path)).toEqual([]);
  expect(inputs.map(([path]) => path).filter((path) => path.includes("connect-node"))).toEqual([]);
  expect(outputFiles[0]?.contents.length).toBeLessThan(MAX_BYTES);
});
