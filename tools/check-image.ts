/** Proves the Dockerfile without a container engine: does its COPY and RUN lines by hand, and starts what is left. */
import { execFileSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join, resolve } from "node:path";

const [build = [], image = []] = stagesOf(readFileSync("Dockerfile", "utf8"));
const { version } = JSON.parse(readFileSync("package.json", "utf8")) as { readonly version: string };
const directory = mkdtempSync(join(tmpdir(), "satchel-image-"));
try {
  prove();
} finally {
  rmSync(directory, { recursive: true });
}

function prove(): void {
  const built = join(directory, "build");
  const app = join(directory, "app");
  for (const path of [built, app]) mkdirSync(path);
  for (const line of build) carryOut(line, resolve("."), built);
  for (const line of image.filter((text) => text.startsWith("COPY")))
    carryOut(line, line.includes("--from=build") ? built : resolve("."), app);
  if (existsSync(join(app, "node_modules/node")) || existsSync(join(app, "node_modules/typescript")))
    throw new Error("the image has packages that are for development only");
  const answer = execFileSync("node", ["dist/main.js", "--version"], { cwd: app, encoding: "utf8" }).trim();
  if (answer !== version) throw new Error(`the image says it is ${answer}, not ${version}`);
  console.log(`The image would run Satchel ${answer}.`);
}

/** Does one line: a COPY from one directory to another, or a RUN in the latter. */
function carryOut(line: string, from: string, to: string): void {
  const [instruction, ...words] = line.split(/\s+/);
  if (instruction === "RUN")
    execFileSync("sh", ["-c", words.join(" ")], { cwd: to, stdio: ["ignore", "inherit", "inherit"] });
  if (instruction !== "COPY") return;
  const paths = words.filter((word) => !word.startsWith("--"));
  const target = paths.pop()!;
  for (const path of paths) {
    const source = join(from, path.replace(/^\/build\//, ""));
    cpSync(source, target.endsWith("/") ? join(to, target, basename(source)) : join(to, target), { recursive: true });
  }
}

/** The instructions of every stage, without comments and white space. */
function stagesOf(dockerfile: string): string[][] {
  const stages: string[][] = [];
  for (const line of dockerfile.split("\n").map((text) => text.trim())) {
    if (line.startsWith("FROM ")) stages.push([]);
    else if (line !== "" && !line.startsWith("#")) stages.at(-1)?.push(line);
  }
  return stages;
}
