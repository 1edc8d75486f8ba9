import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { rounded } from "./rounds.ts";

/** A line chart. The values of x are drawn at equal distances, whatever they are. */
export interface Chart {
  readonly title: string;
  readonly x: { readonly label: string; readonly values: readonly number[] };
  /** The unit of y, for the title. */
  readonly y: string;
  /** One value of y for each value of x, in order; a line with fewer values ends early. */
  readonly lines: readonly { readonly name: string; readonly values: readonly number[] }[];
}

const DIRECTORY = join(import.meta.dirname, "../../docs/charts");
const SIZE = { width: 720, height: 400 };
const PLOT = { left: 80, right: 700, top: 50, bottom: 300 };
const LEGEND = { top: 360, column: 230 };
const GRID_LINES = 4;
const COLOURS = ["#0b6bcb", "#c4501b", "#3f7d20", "#7a3ea1"];
const FONT = 'font-family="system-ui, sans-serif" font-size="12" fill="#444"';

/** Writes a chart as docs/charts/<name>.svg. */
export async function recordChart(name: string, chart: Chart): Promise<void> {
  await mkdir(DIRECTORY, { recursive: true });
  await writeFile(join(DIRECTORY, `${name}.svg`), svgOf(chart));
}

function svgOf({ title, x, y, lines }: Chart): string {
  const top = roundUp(Math.max(1, ...lines.flatMap(({ values }) => values)));
  const xAt = (index: number): number =>
    PLOT.left + ((index + 0.5) * (PLOT.right - PLOT.left)) / Math.max(1, x.values.length);
  const yAt = (value: number): number => PLOT.bottom - (value / top) * (PLOT.bottom - PLOT.top);
  const grid = Array.from({ length: GRID_LINES + 1 }, (_, index) => (top * index) / GRID_LINES).flatMap((value) => [
    `<line x1="${PLOT.left}" x2="${PLOT.right}" y1="${yAt(value)}" y2="${yAt(value)}" stroke="#ddd"/>`,
    text(PLOT.left - 8, yAt(value) + 4, value === 0 ? "0" : rounded(value), "end"),
  ]);
  const ticks = x.values.map((value, index) =>
    text(xAt(index), PLOT.bottom + 18, value.toLocaleString("en"), "middle"),
  );
  const drawn = lines.flatMap(({ name, values }, line) => {
    const colour = COLOURS[line % COLOURS.length] ?? "";
    const points = values.map((value, index) => `${xAt(index).toFixed(1)},${yAt(value).toFixed(1)}`);
    const dots = points.map((point) => `<circle cx="${point.replace(",", '" cy="')}" r="3" fill="${colour}"/>`);
    const legendX = PLOT.left + line * LEGEND.column;
    return [
      `<polyline points="${points.join(" ")}" fill="none" stroke="${colour}" stroke-width="2"/>`,
      ...dots,
      `<rect x="${legendX - 16}" y="${LEGEND.top - 9}" width="10" height="10" fill="${colour}"/>`,
      text(legendX, LEGEND.top, name, "start"),
    ];
  });
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${SIZE.width} ${SIZE.height}" role="img">`,
    `<title>${escape(title)}</title>`,
    `<rect width="100%" height="100%" fill="#fff"/>`,
    text(PLOT.left, 28, `${title}, ${y}`, "start"),
    ...grid,
    ...ticks,
    text((PLOT.left + PLOT.right) / 2, PLOT.bottom + 36, x.label, "middle"),
    ...drawn,
    "</svg>",
    "",
  ].join("\n");
}

function text(x: number, y: number, content: string, anchor: "start" | "middle" | "end"): string {
  return `<text x="${x.toFixed(1)}" y="${y.toFixed(1)}" text-anchor="${anchor}" ${FONT}>${escape(content)}</text>`;
}

function escape(content: string): string {
  return content.replaceAll("&", "&amp;").replaceAll("<", "&lt;");
}

/** The next number of the form 1, 2, 4 or 8 times a power of ten. */
function roundUp(value: number): number {
  const power = 10 ** Math.floor(Math.log10(value));
  return power * ([1, 2, 4, 8].find((step) => step * power >= value) ?? 10);
}
