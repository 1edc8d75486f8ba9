import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type BrowserContext, chromium, type Page } from "playwright-core";
import type { Checks } from "./checks.ts";
import type { PageServer } from "./page-server.ts";
import type { Target } from "./target.ts";

const CHROMIUM = "/usr/bin/chromium";
const FLAGS = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];
const TIMEOUT_MS = 60_000;

/** Drives a page in headless Chromium. */
export async function checkBrowser(target: Target, pages: PageServer, checks: Checks): Promise<void> {
  const profile = await mkdtemp(join(tmpdir(), "satchel-chromium-"));
  try {
    const options = { executablePath: CHROMIUM, headless: true, args: FLAGS, timeout: TIMEOUT_MS };
    const browser = await chromium.launchPersistentContext(profile, options);
    try {
      await checkPages(browser, target, pages, checks);
    } finally {
      await browser.close();
    }
  } finally {
    await rm(profile, { recursive: true, force: true });
  }
}

async function checkPages(browser: BrowserContext, target: Target, pages: PageServer, checks: Checks): Promise<void> {
  const methods = new Set<string>();
  const page = await openPage(browser, pages.origin);
  page.on("request", (request) => {
    if (request.url().startsWith(target.url))
      methods.add(`${request.method()} ${new URL(request.url()).pathname.split("/").pop()}`);
  });
  const token = await target.newToken();
  checks.report(await page.evaluate(([url, secret]) => window.runChecks(url, secret), [target.url, token] as const));
  await checks.check("reads go by GET, writes by POST", () => {
    assert.ok(methods.has("GET GetStreamVersion"), [...methods].join(", "));
    assert.ok(methods.has("POST AppendMessages") && !methods.has("GET AppendMessages"), [...methods].join(", "));
  });
  await checks.check("an error is shown with its details", async () => {
    assert.match(await page.locator("#error").innerText(), /VERSION_CONFLICT.*expected 41.*actual 0/);
  });
  await checks.check("a page of another origin is kept out", async () => {
    const strange = await openPage(browser, pages.strangeOrigin);
    const answer = await strange.evaluate(([url, secret]) => window.callOnce(url, secret), [
      target.url,
      token,
    ] as const);
    assert.equal(answer, "UNREACHABLE");
  });
}

async function openPage(browser: BrowserContext, origin: string): Promise<Page> {
  const page = await browser.newPage();
  page.setDefaultTimeout(TIMEOUT_MS);
  await page.goto(origin);
  await page.waitForFunction(() => "runChecks" in window);
  return page;
}
