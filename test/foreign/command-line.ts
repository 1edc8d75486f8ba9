import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Checks } from "./checks.ts";
import { attempt, run } from "./commands.ts";
import { ROOT } from "./protos.ts";
import type { Target } from "./target.ts";

const BUF = join(ROOT, "node_modules/.bin/buf");
const STREAMS = "satchel.v1.StreamService";
const DEFAULT_URL = "http://127.0.0.1:4600";

/** buf curl in every protocol, and the lines of curl that people are told to paste. */
export async function checkCommandLine(target: Target, checks: Checks): Promise<void> {
  const token = await target.newToken();
  const buf = (method: string, body: unknown, options: readonly string[], as = token) =>
    attempt(BUF, [
      "curl",
      "--http2-prior-knowledge",
      "-H",
      `authorization: Bearer ${as}`,
      "-d",
      JSON.stringify(body),
      ...options,
      `${target.url}/${STREAMS}/${method}`,
    ]);

  for (const protocol of ["grpc", "grpcweb", "connect"]) {
    await checks.check(`buf curl speaks ${protocol}`, async () => {
      const messages = [{ type: "Said", data: '{"text":"Grüße"}' }];
      const appended = await buf("AppendMessages", { streamName: `buf-${protocol}`, messages }, [
        "--protocol",
        protocol,
      ]);
      assert.equal(appended.code, 0, appended.stderr);
      const read = await buf("ReadMessages", { streamName: `buf-${protocol}` }, [
        "--protocol",
        protocol,
        "--schema",
        join(ROOT, "proto"),
      ]);
      assert.match(read.stdout, /Grüße[^]*caughtUp/, read.stderr);
    });
  }
  const conflict = { streamName: "buf-grpc", expectedVersion: "7", messages: [{ type: "Said" }] };
  await checks.check("buf curl decodes the details of an error in connect", async () => {
    const { code, stderr } = await buf("AppendMessages", conflict, ["--protocol", "connect", "--schema", ROOT]);
    assert.notEqual(code, 0);
    assert.match(stderr, /VERSION_CONFLICT/);
  });
  await checks.check("buf curl shows the details of an error in grpc", async () => {
    // There it prints them encoded, whatever schema it has.
    const { code, stderr } = await buf("AppendMessages", conflict, ["--protocol", "grpc"]);
    assert.notEqual(code, 0);
    const [, value = ""] = /"google\.rpc\.ErrorInfo",\s*"value": "([^"]*)"/.exec(stderr) ?? [];
    assert.match(Buffer.from(value, "base64").toString(), /VERSION_CONFLICT/);
  });
  await checks.check("buf curl lists the services by reflection", async () => {
    assert.match(
      await run(BUF, ["curl", "--http2-prior-knowledge", "--list-methods", target.url]),
      /StreamService\/ReadMessages/,
    );
  });

  for (const version of ["--http1.1", "--http2-prior-knowledge", "--http2"]) {
    await checks.check(`curl ${version} calls, by POST and by GET`, async () => {
      const url = `${target.url}/satchel.v1.ServerService/GetServerInfo`;
      const posted = await run("curl", ["-sS", version, "-H", "content-type: application/json", "-d", "{}", url]);
      const got = await run("curl", ["-sS", version, `${url}?connect=v1&encoding=json&message=%7B%7D`]);
      for (const answer of [posted, got]) assert.match(answer, /"engine":"(sqlite|postgresql)"/);
    });
  }

  await checkLines(target, "the greeting", target.server.greeting, checks);
  const readme = join(ROOT, "README.md");
  if (existsSync(readme)) await checkLines(target, "the README", readFileSync(readme, "utf8"), checks);
}

/** Each line of a text that begins with curl, continued by backslashes, as bash runs it. */
async function checkLines({ url, server }: Target, where: string, text: string, checks: Checks): Promise<void> {
  const lines = text
    .replaceAll(/\\\n\s*/g, " ")
    .split("\n")
    .map((line) => line.trim().replace(/^\$ /, ""));
  const commands = lines.filter((line) => line.startsWith("curl "));
  for (const [index, command] of commands.entries()) {
    await checks.check(`line ${index + 1} of curl in ${where} works`, async () => {
      const here = command
        .replaceAll(DEFAULT_URL, url)
        .replace(/^curl /, "curl --silent --show-error --fail-with-body ");
      // The README says TOKEN=$(cat data/default-token) before its first line.
      const output = await run("bash", ["-c", here], { env: { TOKEN: await server.defaultToken() } });
      assert.doesNotMatch(output, /"code":/);
    });
  }
  if (where === "the greeting" && commands.length === 0) checks.fail("the greeting has lines of curl", text);
}
