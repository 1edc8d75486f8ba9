import { Code, createClient } from "@connectrpc/connect";
import { chmod, mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { type AddressInfo, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { StreamService } from "../../src/gen/satchel/v1/streams_pb.ts";
import { createAuthority } from "../support/certificates.ts";
import { createDatabase } from "../support/databases.ts";
import { pasteCurl } from "../support/pasted-curl.ts";
import { type Running, runSatchel } from "../support/run-satchel.ts";
import { transportFor } from "../support/transports.ts";

let directory: string;
const running = new Set<Running>();
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "satchel-cli-"));
});
afterEach(async () => {
  for (const { child, ended } of running) {
    child.kill("SIGKILL");
    await ended;
  }
  running.clear();
  await rm(directory, { recursive: true, force: true });
});

function start(settings: Readonly<Record<string, string>> = {}): Running {
  const run = runSatchel(["serve"], { SATCHEL_PORT: "0", SATCHEL_DATA_DIR: join(directory, "data"), ...settings });
  running.add(run);
  return run;
}

async function urlOf({ output }: Running): Promise<string> {
  const found = () => /^ {2}(https?:\/\/\S+)$/m.exec(output.stdout)?.[1];
  await expect.poll(found, { timeout: 20_000 }).toBeDefined();
  return found()!;
}

describe("satchel serve", () => {
  test("makes tokens at the first start, and prints lines that work when pasted, then and later", async () => {
    const [first, second] = [start(), () => start()];
    await urlOf(first);
    const token = (await readFile(join(directory, "data/default-token"), "utf8")).trim();
    expect(first.output.stdout).toContain(token);
    expect(first.output.stdout).not.toContain((await readFile(join(directory, "data/root-token"), "utf8")).trim());
    for (const file of ["root-token", "default-token"])
      expect((await stat(join(directory, "data", file))).mode & 0o777).toBe(0o600);

    const pasted = async ({ output }: Running, position: string) => {
      const [append, read] = output.stdout.split("\n").filter((line) => line.startsWith("curl "));
      expect(JSON.parse(await pasteCurl(append!))).toMatchObject({ messages: [{ position }] });
      const page = JSON.parse(await pasteCurl(read!)) as {
        readonly messages: readonly { readonly data: string }[];
      };
      expect(page.messages.map(({ data }) => JSON.parse(data))).toContainEqual({ text: "hello" });
    };
    await pasted(first, "0");
    first.child.kill("SIGTERM");
    expect((await first.ended).code).toBe(0);

    const later = second();
    await urlOf(later);
    expect(later.output.stdout).not.toContain(token);
    await pasted(later, "1");
    later.child.kill("SIGINT");
    const { code, stderr } = await later.ended;
    expect(code).toBe(0);
    for (const line of stderr.trim().split("\n")) expect(() => JSON.parse(line)).not.toThrow(SyntaxError);
    expect(stderr).not.toContain("satn_");
  });

  test("lets a call in flight end after SIGTERM", async () => {
    const server = start({ SATCHEL_LOG_LEVEL: "debug" });
    const url = await urlOf(server);
    const token = (await readFile(join(directory, "data/default-token"), "utf8")).trim();
    const client = createClient(StreamService, transportFor("grpc", { http: "2", baseUrl: url }));
    const options = { headers: { authorization: `Bearer ${token}` } };
    const data = JSON.stringify("x".repeat(500_000));
    const messages = Array.from({ length: 20 }, () => ({ type: "T", data }));
    const append = client.appendMessages({ streamName: "a-1", messages }, options);
    await new Promise((resolve) => setTimeout(resolve, 20));
    server.child.kill("SIGTERM");
    expect((await append).messages).toHaveLength(20);
    expect((await server.ended).code).toBe(0);
  });

  test("ends a live read with UNAVAILABLE after SIGTERM", async () => {
    const server = start();
    const url = await urlOf(server);
    const token = (await readFile(join(directory, "data/default-token"), "utf8")).trim();
    const client = createClient(StreamService, transportFor("grpc", { http: "2", baseUrl: url }));
    const headers = { authorization: `Bearer ${token}` };
    const frames = client.readMessages({ selector: { case: "category", value: "a" }, follow: true }, { headers });
    const reading = (async () => {
      for await (const { frame } of frames) if (frame.case === "caughtUp") server.child.kill("SIGTERM");
    })();
    await expect(reading).rejects.toMatchObject({ code: Code.Unavailable });
    expect((await server.ended).code).toBe(0);
  });

  test("ends at once at the second signal", async () => {
    const server = start({ SATCHEL_DRAIN_DELAY_MS: "20000" });
    const url = await urlOf(server);
    server.child.kill("SIGTERM");
    await expect.poll(async () => (await fetch(`${url}/readyz`)).status).toBe(503);
    await new Promise((resolve) => setTimeout(resolve, 300));
    server.child.kill("SIGTERM");
    expect((await server.ended).code).toBe(143);
  });

  test("serves TLS, and prints lines that work with it", async () => {
    const { cert, key } = createAuthority("an authority").issue("localhost");
    await writeFile(join(directory, "tls.crt"), cert);
    await writeFile(join(directory, "tls.key"), key);
    const server = start({
      SATCHEL_HOST: "localhost",
      SATCHEL_TLS_CERT: join(directory, "tls.crt"),
      SATCHEL_TLS_KEY: join(directory, "tls.key"),
    });
    expect(await urlOf(server)).toMatch(/^https:\/\/localhost:/);
    const append = server.output.stdout.split("\n").find((line) => line.startsWith("curl "));
    expect(JSON.parse(await pasteCurl(append!))).toMatchObject({ messages: [{ position: "0" }] });
  });

  test("warns of listening beyond this machine without TLS", async () => {
    const server = start({ SATCHEL_HOST: "0.0.0.0" });
    await urlOf(server);
    await expect.poll(() => server.output.stderr).toMatch(/"level":"warn".*without TLS/);
  });
});

describe("satchel serve on PostgreSQL", () => {
  test("shares a database between replicas, of which the first has the tokens", async () => {
    await using database = await createDatabase();
    const settings = { DATABASE_URL: database.url };
    const first = start(settings);
    await urlOf(first);
    const append = first.output.stdout.split("\n").find((line) => line.startsWith("curl "));
    expect(JSON.parse(await pasteCurl(append!))).toMatchObject({ messages: [{ position: "0" }] });

    const second = start({ ...settings, SATCHEL_DATA_DIR: join(directory, "other") });
    const url = await urlOf(second);
    expect(second.output.stdout).not.toMatch(/token|curl/);
    const token = (await readFile(join(directory, "data/default-token"), "utf8")).trim();
    const client = createClient(StreamService, transportFor("grpc", { http: "2", baseUrl: url }));
    const headers = { authorization: `Bearer ${token}` };
    expect((await client.getStreamVersion({ streamName: "greeting-1" }, { headers })).version).toBe(0n);
    for (const { child, ended } of [first, second]) {
      child.kill("SIGTERM");
      expect((await ended).code).toBe(0);
    }
  });

  test("does not wait for a database that there is not", async () => {
    await using database = await createDatabase();
    const { code, stderr } = await start({ DATABASE_URL: `${database.url}_not`, SATCHEL_LOG_LEVEL: "silent" }).ended;
    expect([code, stderr]).toEqual([
      1,
      expect.stringMatching(/^satchel: cannot use the store: [^\n]*does not exist\n$/),
    ]);
  });
});

describe("satchel serve says in one line why it does not start", () => {
  const refused = async (settings: Readonly<Record<string, string>>): Promise<string> => {
    const { code, stderr, stdout } = await start({
      SATCHEL_STORE_WAIT_MS: "0",
      SATCHEL_LOG_LEVEL: "silent",
      ...settings,
    }).ended;
    expect([code, stdout]).toEqual([1, ""]);
    expect(stderr).toMatch(/^satchel: [^\n]+\n$/);
    return stderr;
  };

  test("an unknown setting, with the one that was meant", async () => {
    expect(await refused({ SATCHEL_PROT: "1" })).toContain("SATCHEL_PROT is not a setting; did you mean SATCHEL_PORT?");
  });

  test("a value out of range", async () => {
    expect(await refused({ SATCHEL_PORT: "70000" })).toContain("SATCHEL_PORT must be a whole number from 0 to 65535");
  });

  test("half of TLS", async () => {
    expect(await refused({ SATCHEL_TLS_CERT: "x" })).toContain("SATCHEL_TLS_CERT and SATCHEL_TLS_KEY");
  });

  test("files of TLS that are none", async () => {
    await writeFile(join(directory, "no.pem"), "nothing");
    const file = join(directory, "no.pem");
    expect(await refused({ SATCHEL_TLS_CERT: file, SATCHEL_TLS_KEY: file })).toContain("TLS");
    expect(await refused({ SATCHEL_TLS_CERT: `${file}x`, SATCHEL_TLS_KEY: file })).toContain("SATCHEL_TLS_CERT");
  });

  test("a port in use", async () => {
    const other = createServer().listen(0, "127.0.0.1");
    await new Promise((resolve) => other.once("listening", resolve));
    const { port } = other.address() as AddressInfo;
    expect(await refused({ SATCHEL_PORT: String(port) })).toContain(`127.0.0.1:${port}: the port is in use`);
    other.close();
  });

  test("a data directory that cannot be one, or cannot be written to", async () => {
    await writeFile(join(directory, "file"), "");
    expect(await refused({ SATCHEL_DATA_DIR: join(directory, "file/data") })).toContain("SATCHEL_DATA_DIR");
    // Root may write anywhere.
    if (process.getuid?.() !== 0) {
      await chmod(directory, 0o500);
      expect(await refused({})).toContain("SATCHEL_DATA_DIR");
      await chmod(directory, 0o700);
    }
  });

  test("a data directory in use", async () => {
    await urlOf(start());
    expect(await refused({})).toContain("is in use by process");
  });

  test("a database that cannot be reached, after having waited for it", async () => {
    const settings = { DATABASE_URL: "postgres://nobody:hunter2@127.0.0.1:1/nothing", SATCHEL_STORE_WAIT_MS: "5000" };
    const { code, stderr } = await start(settings).ended;
    const lines = stderr.trim().split("\n");
    expect([code, lines.at(-1)]).toEqual([1, expect.stringMatching(/^satchel: cannot use the store: /)]);
    expect(JSON.parse(lines[0]!)).toMatchObject({ level: "warn", msg: expect.stringContaining("trying again") });
    expect(stderr).not.toContain("hunter2");
  });

  test("arguments and commands that there are not", async () => {
    for (const args of [["serve", "--port"], ["sevre"]]) {
      const { code, stderr } = await runSatchel(args).ended;
      expect([code, stderr]).toEqual([1, expect.stringMatching(/^satchel: [^\n]+--help\n$/)]);
    }
  });
});

describe("satchel", () => {
  test("explains itself, and every setting", async () => {
    expect((await runSatchel(["--help"]).ended).stdout).toContain("satchel serve --help");
    const { code, stdout } = await runSatchel(["serve", "--help"]).ended;
    expect(code).toBe(0);
    for (const name of ["SATCHEL_PORT", "DATABASE_URL", "SATCHEL_MAX_MESSAGE_BYTES"])
      expect(stdout).toMatch(new RegExp(`^ +${name} .*\\w`, "m"));
  });

  test("knows its version", async () => {
    expect((await runSatchel(["--version"]).ended).stdout).toMatch(/^\d+\.\d+\.\d+\n$/);
  });

  test("migrate brings the store up and ends", async () => {
    const { code, stdout } = await runSatchel(["migrate"], { SATCHEL_DATA_DIR: join(directory, "data") }).ended;
    expect([code, stdout]).toEqual([0, expect.stringContaining("(sqlite)")]);
  });

  test("healthcheck tells a server that is ready from one that is not, and from none", async () => {
    const server = start({ SATCHEL_DRAIN_DELAY_MS: "20000" });
    const url = await urlOf(server);
    const check = async () => (await runSatchel(["healthcheck"], { SATCHEL_PORT: new URL(url).port }).ended).code;
    expect(await check()).toBe(0);
    server.child.kill("SIGTERM");
    await expect.poll(async () => (await fetch(`${url}/readyz`)).status).toBe(503);
    expect(await check()).toBe(1);
    server.child.kill("SIGKILL");
    await server.ended;
    expect(await check()).toBe(1);
  });
});
