/** Something to measure: each call of `measure` returns one figure in `unit`. */
export interface Subject {
  readonly name: string;
  readonly unit: string;
  readonly measure: () => Promise<number> | number;
}

/** The figures of one subject over all rounds. */
export interface Figure {
  readonly name: string;
  readonly unit: string;
  readonly median: number;
  readonly least: number;
  readonly most: number;
  /** One for each counted round, in order. */
  readonly values: readonly number[];
}

/**
 * Measures every subject once in each round, so that a change of the machine's speed affects all subjects alike. Runs
 * `rounds` + 1 rounds: the first is a warm-up and is not counted.
 */
export async function measureInRounds(
  subjects: readonly Subject[],
  rounds: number,
  log: (line: string) => void,
): Promise<Figure[]> {
  const results = subjects.map((): number[] => []);
  for (let round = 0; round <= rounds; round++) {
    for (const [index, subject] of subjects.entries()) {
      const value = await subject.measure();
      if (round > 0) results[index]?.push(value);
      log(`${round === 0 ? "warm-up" : `round ${round}`}: ${subject.name}: ${rounded(value)} ${subject.unit}`);
    }
  }
  return subjects.map(({ name, unit }, index) => {
    const sorted = (results[index] ?? []).toSorted((a, b) => a - b);
    return {
      name,
      unit,
      median: sorted[Math.floor(sorted.length / 2)] ?? 0,
      least: sorted[0] ?? 0,
      most: sorted.at(-1) ?? 0,
      values: results[index] ?? [],
    };
  });
}

/** Formats the figures as a Markdown table. */
export function tableOf(figures: readonly Figure[]): string {
  const rows = figures.map(
    ({ name, unit, median, least, most }) =>
      `| ${name} | **${rounded(median)}** | ${rounded(least)} … ${rounded(most)} | ${unit} |`,
  );
  return ["| what | median | least … most | unit |", "|---|--:|--:|---|", ...rows].join("\n");
}

/** Formats a figure: without decimals from 100 on, with three significant digits below. */
export function rounded(value: number): string {
  return value >= 100 ? Math.round(value).toLocaleString("en") : value.toPrecision(3);
}
