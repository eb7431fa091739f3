// A real browser for tests of the page: Debian's chromium, driven by playwright-core.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import type { AxeResults } from "axe-core";
import { type Browser, type BrowserContextOptions, chromium, type Page } from "playwright-core";
import { missingPrograms } from "../debian.ts";

/** Why there is no browser here; undefined where there is. */
export const noBrowser = (): string | undefined => missingPrograms(["chromium"], "chromium is", "chromium");

let browser: Promise<Browser> | undefined;
/** Closes a page, and says what was wrong with it. */
const windows: (() => Promise<string[]>)[] = [];

/** Closes the browser. */
export const closeBrowser = async (): Promise<void> => (await browser)?.close();

/**
 * Closes all pages: before their servers, for which they would look in vain. Fails where a page has said that something
 * is wrong, or asked anybody but its own server.
 */
export async function closePages(): Promise<void> {
  const wrong = await Promise.all(windows.splice(0).map((close) => close()));
  assert.deepEqual(wrong.flat(), []);
}

/** A page of its own. `expected` says what it may say that is wrong. */
export async function open(
  url: string,
  options: BrowserContextOptions = {},
  expected?: RegExp,
): Promise<Page> {
  browser ??= chromium.launch({
    executablePath: "/usr/bin/chromium",
    // A container's root has no user namespaces to lock pages in.
    chromiumSandbox: process.getuid?.() !== 0,
  });
  const { origin } = new URL(url);
  const window = await (await browser).newContext({ viewport: { width: 1280, height: 900 }, ...options });
  const page = await window.newPage();
  const wrong: string[] = [];
  page.on("pageerror", (error) => wrong.push(String(error)));
  page.on("console", (message) => {
    if (["error", "warning"].includes(message.type()) && !NETWORK_CHANGED.test(message.text()))
      wrong.push(message.text());
  });
  page.on("request", (request) => {
    if (new URL(request.url()).origin !== origin) wrong.push(`asked for ${request.url()}`);
  });
  windows.push(async () => {
    await window.close();
    return wrong.filter((text) => !expected?.test(text));
  });
  await page.addInitScript(OBSERVE);
  await page.goto(url);
  while (await isBlank(page)) await page.reload();
  return page;
}

/** So chromium gives up what it loads where the machine's interfaces change: with clusters on it they come and go. */
const NETWORK_CHANGED = /ERR_NETWORK_CHANGED/;

/** Whether the page's modules have not come. */
const isBlank = (page: Page): Promise<boolean> =>
  page.waitForSelector("main", { timeout: 10_000 }).then(
    () => false,
    () => true,
  );

const OBSERVE = `window.blocked = [];
  new PerformanceObserver((list) => window.blocked.push(...list.getEntries().map(({ duration }) => duration)))
    .observe({ type: "longtask", buffered: true });`;

/** For how long, in milliseconds, the page could not answer since this was asked last: the longest time. */
export const blocked = async (page: Page): Promise<number> =>
  Math.round(await page.evaluate("Math.max(0, ...window.blocked.splice(0))"));

/** How much wider the document is than the window. */
export const overflow = (page: Page): Promise<number> =>
  page.evaluate("document.documentElement.scrollWidth - innerWidth");

/** Light and dark, on a wide screen and on a phone. */
export const LOOKS = (["light", "dark"] as const).flatMap((colorScheme) =>
  [1280, 360].map((width) => ({ colorScheme, viewport: { width, height: 900 } })),
);

const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

/** What axe finds wrong. */
export async function faults(page: Page): Promise<string[]> {
  await page.evaluate(AXE);
  const { violations } = (await page.evaluate("axe.run()")) as AxeResults;
  return violations.flatMap(({ id, nodes }) => nodes.map(({ html }) => `${id}: ${html}`));
}
