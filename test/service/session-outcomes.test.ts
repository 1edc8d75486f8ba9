import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { findSession, saveSession } from "../../src/areas/sessions/store/sessions.ts";
import { newServiceKey } from "../../src/kernel/crypto/service-key.ts";
import type { ServicePrincipal } from "../../src/kernel/principal.ts";
import { ENGINES } from "../support/engines.ts";
import {
  createSession,
  openSessionServices,
  refreshed,
  type SessionServices,
  worth,
} from "../support/session-services.ts";

const SECOND = 1_000_000n;
const MINUTE = 60n * SECOND;

/** What becomes of sessions when clocks, keys and stores are not as they should be. */
describe.each(ENGINES)("on %s", (engine) => {
  let opened: SessionServices | undefined;
  const services = () => opened!;
  beforeAll(async () => void (opened = await openSessionServices(engine)));
  afterAll(async () => opened?.[Symbol.asyncDispose]());

  /** The session as it is stored now, and a way to have it so again, as a backup would. */
  const backup = async ({ namespaceId }: ServicePrincipal, id: string) => {
    const { store } = services();
    const row = (await findSession(store, namespaceId, id))!;
    return () => store.inNamespace(namespaceId, (unit) => saveSession(unit, row));
  };

  it("a replica whose clock is ahead or behind takes no token for stolen, and sets no activity back", async () => {
    const caller = await services().namespace();
    const [exact, behind, ahead] = [0n, -MINUTE, MINUTE].map((skewMicros) => services().process({ skewMicros }));
    const { token, session } = await createSession(exact!, caller);
    const { token: successor } = await refreshed(ahead!, token);
    expect(await refreshed(behind!, token)).toEqual({ token: successor });
    expect(await refreshed(exact!, token)).toEqual({ token: successor });
    const activity = async () => (await exact!.get(caller, session.id)).lastActivityTimeMicros;
    const noted = await activity();
    expect(await worth(behind!, caller, successor!)).toBe("good");
    expect(await activity()).toBe(noted);
    const { token: third } = await refreshed(behind!, successor!);
    expect(await activity()).toBe(noted);
    expect(await worth(exact!, caller, third!)).toBe("good");
    expect(await worth(services().process({ skewMicros: 31n * 24n * 60n * MINUTE }), caller, third!)).toBe("expired");
    expect(await worth(exact!, caller, third!)).toBe("good");
  });

  it("after a backup is restored, a token that is newer than the store is unknown, and nobody is logged out by it", async () => {
    const caller = await services().namespace();
    const sessions = services().process();
    const { token, session } = await createSession(sessions, caller);
    const restore = await backup(caller, session.id);
    const second = await refreshed(sessions, token);
    const third = await refreshed(sessions, second.token!);
    await restore();
    for (const newer of [second.token!, third.token!]) {
      expect(await worth(sessions, caller, newer)).toBe("not-found");
      expect(await refreshed(sessions, newer)).toEqual({ reason: "SESSION_NOT_FOUND" });
    }
    expect(await worth(sessions, caller, token)).toBe("good");
    // The chain is the same one, so that whoever still has the older token meets those who have the newer ones.
    expect(await refreshed(sessions, token)).toEqual(second);
    expect(await worth(sessions, caller, second.token!)).toBe("good");
  });

  it("when the service key is rotated, sessions go on, and the grace bridges the change", async () => {
    const caller = await services().namespace();
    const [older, newer] = [newServiceKey(), newServiceKey()];
    const before = services().process({ keys: [older] });
    const during = services().process({ keys: [newer, older] });
    const after = services().process({ keys: [newer] });
    const { token } = await createSession(before, caller);
    const second = await refreshed(before, token);
    expect(await refreshed(during, token)).toEqual(second);
    expect(await worth(after, caller, second.token!)).toBe("good");
    const third = await refreshed(during, second.token!);
    expect(await refreshed(after, second.token!)).toEqual(third);
    expect(await worth(before, caller, third.token!)).toBe("good");
    const fourth = await refreshed(after, third.token!);
    services().pass(MINUTE);
    expect(await worth(after, caller, token), "an old token whose key is gone").toBe("not-found");
    expect(await refreshed(after, token)).toEqual({ reason: "SESSION_NOT_FOUND" });
    expect(await worth(after, caller, fourth.token!)).toBe("good");
    expect(await refreshed(during, token), "the same, where the key is known").toEqual({ reason: "SESSION_REVOKED" });
    expect(await worth(after, caller, fourth.token!)).toBe("revoked");
  });

  it("the key that the store keeps is one for all processes", async () => {
    const caller = await services().namespace();
    const [one, two] = [services().process(), services().process()];
    const { token } = await createSession(one, caller);
    const successors = await Promise.all([one, two, one, two].map((process) => refreshed(process, token)));
    expect(new Set(successors.map((answer) => answer.token)).size).toBe(1);
  });

  it("a token that is good opens nothing in a namespace of the same sessions but another name", async () => {
    const [one, other] = [await services().namespace(), await services().namespace()];
    const sessions = services().process();
    const { token } = await createSession(sessions, one);
    expect(await worth(sessions, other, token)).toBe("not-found");
  });
});
