import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ENGINES } from "../support/engines.ts";
import {
  createSession,
  openSessionServices,
  refreshed,
  type SessionServices,
  worth,
} from "../support/session-services.ts";

const SECOND = 1_000_000n;
const IDLE = 600n * SECOND;
const ABSOLUTE = 1_500n * SECOND;
const GRACE = 30n * SECOND;
const TOUCH = 60n * SECOND;

type Step =
  | { readonly kind: "pass"; readonly seconds: number }
  | { readonly kind: "validate" | "refresh"; readonly back: number }
  | { readonly kind: "revoke" };

const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ kind: fc.constant("pass" as const), seconds: fc.constantFrom(1, 29, 31, 59, 61, 299, 601) }),
  fc.record({ kind: fc.constantFrom("validate" as const, "refresh" as const), back: fc.integer({ min: 0, max: 3 }) }),
  { weight: 1, arbitrary: fc.constant({ kind: "revoke" as const }) },
);

/** A session as the rules have it, told in the simplest way. */
class Model {
  now = 0n;
  tokens: string[];
  #activity = 0n;
  #rotated: bigint | undefined;
  #revoked = false;

  constructor(token: string) {
    this.tokens = [token];
  }

  get #expired(): boolean {
    return this.now >= this.#activity + IDLE || this.now >= ABSOLUTE;
  }

  /** The token `back` before the last. */
  pick(back: number): string {
    return this.tokens.at(-1 - back) ?? this.tokens[0]!;
  }

  #isGood(token: string): boolean {
    const index = this.tokens.indexOf(token);
    if (index === this.tokens.length - 1) return true;
    return index === this.tokens.length - 2 && this.#rotated !== undefined && this.now < this.#rotated + GRACE;
  }

  revoke(): void {
    if (!this.#expired) this.#revoked = true;
  }

  validate(token: string): string {
    if (this.#revoked) return "revoked";
    if (this.#expired) return "expired";
    if (!this.#isGood(token)) return "token-superseded";
    if (this.now - this.#activity >= TOUCH) this.#activity = this.now;
    return "good";
  }

  /** What is expected of a refresh; "new" = a token that was not seen before. */
  refresh(token: string): { readonly token?: string; readonly reason?: string } | "new" {
    if (this.#revoked) return { reason: "SESSION_REVOKED" };
    if (this.#expired) return { reason: "SESSION_EXPIRED" };
    if (!this.#isGood(token)) {
      this.#revoked = true;
      return { reason: "SESSION_REVOKED" };
    }
    if (token !== this.tokens.at(-1)) return { token: this.tokens.at(-1)! };
    this.#rotated = this.now;
    this.#activity = this.now;
    return "new";
  }
}

describe.each(ENGINES)("on %s", (engine) => {
  let services: SessionServices | undefined;
  beforeAll(async () => void (services = await openSessionServices(engine)));
  afterAll(async () => services?.[Symbol.asyncDispose]());

  it("any validations, refreshes and pauses do what the model says", async () => {
    const caller = await services!.namespace();
    const sessions = services!.process();
    const property = fc.asyncProperty(fc.array(step, { minLength: 3, maxLength: 25 }), async (steps) => {
      const created = await createSession(sessions, caller, {
        idleTimeoutMicros: IDLE,
        absoluteTimeoutMicros: ABSOLUTE,
      });
      const model = new Model(created.token);
      for (const one of steps) {
        if (one.kind === "pass") {
          services!.pass(BigInt(one.seconds) * SECOND);
          model.now += BigInt(one.seconds) * SECOND;
        } else if (one.kind === "revoke") {
          model.revoke();
          await sessions.revoke(caller, { sessionId: created.session.id, comment: "" }, {});
        } else if (one.kind === "validate") {
          const token = model.pick(one.back);
          expect(await worth(sessions, caller, token)).toBe(model.validate(token));
        } else {
          const token = model.pick(one.back);
          const expected = model.refresh(token);
          const actual = await refreshed(sessions, token);
          if (expected !== "new") expect(actual).toEqual(expected);
          else {
            expect(model.tokens).not.toContain(actual.token);
            expect(actual.reason).toBeUndefined();
            model.tokens.push(actual.token!);
          }
        }
      }
    });
    await fc.assert(property, { numRuns: engine === "postgresql" ? 20 : 60 });
  });

  it("any statistics are what counting the sessions by hand comes to", async () => {
    const sessions = services!.process();
    const HOUR = 3_600n * SECOND;
    const login = fc.record({
      clientType: fc.constantFrom("", "web", "ios"),
      aal: fc.integer({ min: 1, max: 3 }),
      ageMinutes: fc.integer({ min: 0, max: 9 * 24 * 60 }),
      end: fc.constantFrom("no", "revoke", "delete", "idle"),
    });
    const property = fc.asyncProperty(fc.array(login, { maxLength: 12 }), async (logins) => {
      const caller = await services!.namespace();
      const expected = { total: 0n, active: 0n, today: 0n, thisWeek: 0n, inWindow: 0n };
      for (const { clientType, aal, ageMinutes, end } of logins.toSorted((a, b) => b.ageMinutes - a.ageMinutes)) {
        const age = BigInt(ageMinutes) * 60n * SECOND;
        const client = { clientType, clientVersion: "", userAgent: "", ipAddress: "", location: "", deviceName: "" };
        const past = services!.process({ skewMicros: -age });
        const idle = end === "idle" ? { idleTimeoutMicros: 60n * SECOND } : {};
        const { session } = await createSession(past, caller, { client, aal, ...idle });
        if (end === "revoke") await past.revoke(caller, { sessionId: session.id, comment: "" }, {});
        if (end === "delete") await past.deleteSession(caller, session.id, {});
        if (end === "delete") continue;
        expected.total++;
        if (end === "no" || (end === "idle" && ageMinutes < 1)) expected.active++;
        if (age <= 24n * HOUR) expected.today++;
        if (age <= 7n * 24n * HOUR) expected.thisWeek++;
        if (age <= 5n * HOUR) expected.inWindow++;
      }
      const { byClientType, byAal, averageDurationMicros, ...counted } = await sessions.statistics(caller, 5n * HOUR);
      expect(counted).toEqual(expected);
      for (const groups of [byClientType, byAal]) {
        expect(groups.reduce((sum, { total }) => sum + total, 0n)).toBe(expected.total);
        expect(groups.reduce((sum, { active }) => sum + active, 0n)).toBe(expected.active);
      }
      expect(averageDurationMicros).toBe(expected.total === expected.active ? undefined : 0n);
    });
    await fc.assert(property, { numRuns: engine === "postgresql" ? 5 : 20 });
  });
});
