import { describe, expect, test } from "vitest";
import { ConfigError, readConfig } from "../../src/config/config.ts";
import { configHelp } from "../../src/config/help.ts";
import { DEFAULT_LIMITS } from "../../src/config/limits.ts";

const problems = (env: Readonly<Record<string, string>>): string => {
  try {
    readConfig(env);
  } catch (error) {
    if (error instanceof ConfigError) return error.message;
    throw error;
  }
  return "";
};

describe("the configuration", () => {
  test("has a default for everything, also for what is set to nothing", () => {
    const config = readConfig({ SATCHEL_PORT: "", PATH: "/bin", SATCHEL_TEST_ANYTHING: "x" });
    expect(config).toMatchObject({
      host: "127.0.0.1",
      port: 4600,
      dataDir: "./data",
      databaseUrl: undefined,
      corsOrigins: [],
    });
    expect(config.limits).toEqual(DEFAULT_LIMITS);
  });

  test("takes what is set", () => {
    const config = readConfig({
      SATCHEL_PORT: "0",
      DATABASE_URL: "postgres://db/satchel",
      SATCHEL_MAX_MESSAGE_BYTES: "2048",
      SATCHEL_CORS_ORIGINS: "https://a.example, capacitor://localhost,http://localhost:3000",
    });
    expect(config).toMatchObject({ port: 0, databaseUrl: "postgres://db/satchel" });
    expect(config.limits.maxMessageBytes).toBe(2048);
    expect(config.corsOrigins).toEqual(["https://a.example", "capacitor://localhost", "http://localhost:3000"]);
  });

  test.each([
    ["SATCHEL_PORT", "-1"],
    ["SATCHEL_PORT", "1e3"],
    ["SATCHEL_PORT", "65536"],
    ["SATCHEL_MAX_MESSAGE_BYTES", "1"],
    ["SATCHEL_LOG_LEVEL", "loud"],
    ["SATCHEL_CORS_ORIGINS", "https://a.example/"],
    ["SATCHEL_CORS_ORIGINS", "a.example"],
    ["DATABASE_URL", "mysql://db"],
    ["SATCHEL_ROOT_TOKEN", "short"],
    ["SATCHEL_ROOT_TOKEN", "with a space in the middle"],
  ])("refuses %s=%s by name", (name, value) => {
    expect(problems({ [name]: value })).toMatch(new RegExp(`^${name} must [^\\n]+$`));
  });

  test("names all problems, each in a line", () => {
    expect(
      problems({ SATCHEL_PORT: "x", SATCHEL_LOG_LEVEL: "x", SATCHEL_NOTHING_LIKE_IT: "x" }).split("\n"),
    ).toHaveLength(3);
  });

  test("suggests what was meant, when something was", () => {
    expect(problems({ SATCHEL_LOGLEVEL: "x" })).toContain("did you mean SATCHEL_LOG_LEVEL?");
    expect(problems({ SATCHEL_QWERTZUIOP: "x" })).not.toContain("did you mean");
    expect(problems({ SATCHEL_MAX_BATCH_SIZE: "10" })).toContain("SATCHEL_MAX_BATCH_SIZE is not a setting");
  });

  test("repeats no secret", () => {
    const text = problems({ SATCHEL_ROOT_TOKEN: "hunter2", DATABASE_URL: "db://user:hunter2@db" });
    expect(text).toContain("SATCHEL_ROOT_TOKEN");
    expect(text).not.toContain("hunter2");
  });

  test.each([
    [{ SATCHEL_TLS_KEY: "k" }, "SATCHEL_TLS_CERT"],
    [{ SATCHEL_WORKERS: "2" }, "SATCHEL_WORKERS"],
    [{ SATCHEL_TLS_CLIENT_CA: "c" }, "SATCHEL_TLS_CLIENT_CA"],
    [{ SATCHEL_CORS_ORIGINS: "*,https://a.example" }, "SATCHEL_CORS_ORIGINS"],
    [{ SATCHEL_MAX_MESSAGE_BYTES: "1000000", SATCHEL_MAX_REQUEST_BYTES: "70000" }, "SATCHEL_MAX_REQUEST_BYTES"],
  ])("refuses what contradicts itself: %j", (env, name) => {
    expect(problems(env)).toContain(name);
  });

  test("lets connections of several workers end, and those of one process never, unless it is told when", () => {
    const several = { SATCHEL_WORKERS: "2", DATABASE_URL: "postgres://db/satchel" };
    expect(readConfig({}).maxConnectionAgeMs).toBe(0);
    expect(readConfig(several).maxConnectionAgeMs).toBe(300_000);
    expect(readConfig({ ...several, SATCHEL_MAX_CONNECTION_AGE_MS: "1000" }).maxConnectionAgeMs).toBe(1_000);
  });

  test("explains every variable in a line", () => {
    for (const line of configHelp().split("\n")) expect(line).toMatch(/^ {2}(SATCHEL_[A-Z_]+|DATABASE_URL) +\S/);
  });
});
