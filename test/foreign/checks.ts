/** Counts what has been checked, and prints a line for each. */
export class Checks {
  readonly #group: string;
  readonly #counts: { passed: number; failed: number };

  constructor(group = "", counts = { passed: 0, failed: 0 }) {
    this.#group = group;
    this.#counts = counts;
  }

  get passed(): number {
    return this.#counts.passed;
  }

  get failed(): number {
    return this.#counts.failed;
  }

  /** Checks whose lines begin with one more word; they are counted here too. */
  within(name: string): Checks {
    return new Checks(`${this.#group}${name}: `, this.#counts);
  }

  pass(name: string): void {
    this.#counts.passed++;
    console.log(`ok    ${this.#group}${name}`);
  }

  fail(name: string, problem: unknown): void {
    this.#counts.failed++;
    console.log(`FAIL  ${this.#group}${name}: ${problem instanceof Error ? problem.message : String(problem)}`);
  }

  /** One check: it fails when `work` throws. */
  async check(name: string, work: () => Promise<void> | void): Promise<void> {
    try {
      await work();
      this.pass(name);
    } catch (error) {
      this.fail(name, error);
    }
  }

  /**
   * The checks of a program that prints "ok <name>" or "FAIL <name>: <problem>" for each of them and "done" at its end.
   * A program that stops before its end, or that checks nothing, is a failure.
   */
  report(output: string): void {
    let checks = 0;
    for (const line of output.split("\n")) {
      const [, verdict, name = "", problem = ""] = /^(ok|FAIL) ([^:]+)(?:: (.*))?$/.exec(line) ?? [];
      if (verdict === "ok") this.pass(name);
      if (verdict === "FAIL") this.fail(name, problem);
      if (verdict !== undefined) checks++;
    }
    if (checks === 0 || !/^done$/m.test(output)) this.fail("the program runs to its end", output.slice(-2_000));
  }
}
