import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { newSessionToken } from "../../src/areas/sessions/domain/session-token.ts";
import { newServiceKey } from "../../src/kernel/crypto/service-key.ts";
import type { ServicePrincipal } from "../../src/kernel/principal.ts";
import { command, statement } from "../../src/kernel/store/statement.ts";
import { ENGINES } from "../support/engines.ts";
import {
  createSession,
  openSessionServices,
  refreshed,
  type SessionServices,
  worth,
} from "../support/session-services.ts";
import { upTo } from "../support/streams.ts";

const MINUTE = 60_000_000n;
const TABLES = ["sessions", "session_devices", "messages"];

/** How often sessions are written, row by row, as triggers of the test count it. */
describe.each(ENGINES)("on %s", (engine) => {
  let opened: SessionServices | undefined;
  const services = () => opened!;
  beforeAll(async () => void (opened = await openSessionServices(engine)));
  afterAll(async () => opened?.[Symbol.asyncDispose]());

  const run = async ({ namespaceId }: ServicePrincipal, statements: readonly string[]): Promise<number> => {
    const { store } = services();
    let count = 0;
    for (const sql of statements) {
      if (sql.startsWith("SELECT")) {
        const [row] = await store.run(namespaceId, statement({ n: "integer" }, sql), []);
        count = row?.n ?? 0;
      } else await store.aloneInNamespace(namespaceId, (unit) => unit.change(command(sql), []));
    }
    return count;
  };

  /** A namespace whose writes are counted, from now on. */
  const countedNamespace = async () => {
    const caller = await services().namespace();
    const schema = engine === "postgresql" ? `"ns_${caller.namespaceId}".` : "";
    const note = `INSERT INTO ${schema}writes VALUES (1)`;
    const noting =
      engine === "postgresql"
        ? [
            `CREATE FUNCTION ${schema}note() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN ${note}; RETURN NULL; END $$`,
            ...TABLES.map(
              (table) =>
                `CREATE TRIGGER a_${table} AFTER INSERT OR UPDATE OR DELETE ON ${schema}${table} FOR EACH ROW EXECUTE FUNCTION ${schema}note()`,
            ),
          ]
        : TABLES.flatMap((table) =>
            ["INSERT", "UPDATE", "DELETE"].map(
              (verb) => `CREATE TRIGGER a_${table}_${verb} AFTER ${verb} ON ${table} BEGIN ${note}; END`,
            ),
          );
    await run(caller, [`CREATE TABLE ${schema}writes (n integer)`, ...noting]);
    return { caller, writes: () => run(caller, [`SELECT count(*) AS n FROM ${schema}writes`]) };
  };

  it("validations write once in a touch interval, however many there are, in however many processes", async () => {
    const { caller, writes } = await countedNamespace();
    const processes = [services().process(), services().process()];
    const { token } = await createSession(processes[0]!, caller);
    const created = await writes();
    expect(created, "the session and its message").toBe(2);
    const validateAll = () => Promise.all(upTo(40).map((index) => worth(processes[index % 2]!, caller, token)));
    await validateAll();
    expect(await writes(), "none is due").toBe(created);
    for (const touches of [1, 2, 3]) {
      services().pass(MINUTE);
      expect(new Set(await validateAll())).toEqual(new Set(["good"]));
      await validateAll();
      expect(await writes()).toBe(created + touches);
    }
  });

  it("tokens that were made up write nothing", async () => {
    const { caller, writes } = await countedNamespace();
    const { namespaceId } = caller;
    const key = newServiceKey();
    const sessions = services().process({ keys: [key] });
    const { token, session } = await createSession(sessions, caller);
    await refreshed(sessions, token);
    services().pass(10n * MINUTE);
    const before = await writes();
    const strangers = [key, newServiceKey()].map((maker) =>
      newSessionToken({ namespaceId, sessionId: "00000000-0000-7000-8000-000000000000" }, 0, maker),
    );
    const forged = upTo(3).map((generation) =>
      newSessionToken({ namespaceId, sessionId: session.id }, generation, newServiceKey()),
    );
    for (const { text } of [...strangers, ...forged]) {
      expect(await refreshed(sessions, text)).toEqual({ reason: "SESSION_NOT_FOUND" });
      expect(await worth(sessions, caller, text)).toBe("not-found");
      await expect(sessions.rotate(caller, text, {})).rejects.toMatchObject({ reason: "SESSION_NOT_FOUND" });
    }
    expect(await writes()).toBe(before);
  });

  it("40 refreshes of a token at once write one session and one message", async () => {
    const { caller, writes } = await countedNamespace();
    const sessions = services().process();
    const { token } = await createSession(sessions, caller);
    const before = await writes();
    await Promise.all(upTo(40).map(() => refreshed(sessions, token)));
    expect(await writes()).toBe(before + 2);
  });
});
