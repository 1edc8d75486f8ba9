import { type Figure, rounded } from "./rounds.ts";

/**
 * A performance target: the best subject whose name begins with `subject` reaches at least `atLeast` times the best one whose
 * name begins with `against`.
 */
export interface Target {
  readonly work: string;
  readonly subject: string;
  readonly against: string;
  /** The name of `against` in the table. */
  readonly peer: string;
  readonly atLeast: number;
}

/** Formats the ratios as a Markdown table. A target is marked "not measured" if one of its subjects is missing. */
export function targetTable(figures: readonly Figure[], targets: readonly Target[]): string {
  const rows = targets.map((target) => {
    const subject = best(figures, target.subject);
    const peer = best(figures, target.against);
    if (subject === undefined || peer === undefined) return `| ${target.work} | ${target.peer} | not measured | | | |`;
    const ratio = subject.median / peer.median;
    const ratios = subject.values.map((value, round) => value / (peer.values[round] ?? peer.median));
    const spread = `${times(Math.min(...ratios))} … ${times(Math.max(...ratios))}`;
    const met = ratio >= target.atLeast ? "yes" : "**no**";
    return `| ${target.work}: ${rounded(subject.median)} ${subject.unit} | ${target.peer}: ${rounded(peer.median)} | **${times(ratio)}** | ${spread} | ${target.atLeast} | ${met} |`;
  });
  return [
    "| work | measured against | times | in single rounds | at least | met |",
    "|---|---|--:|--:|--:|---|",
    ...rows,
  ].join("\n");
}

function best(figures: readonly Figure[], prefix: string): Figure | undefined {
  return figures.filter(({ name }) => name.startsWith(prefix)).toSorted((a, b) => b.median - a.median)[0];
}

function times(ratio: number): string {
  return ratio >= 10 ? ratio.toFixed(1) : ratio.toFixed(2);
}
