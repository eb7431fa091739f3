// The page in a real browser, on a real search from its first second to its end.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { after, type TestContext, test } from "node:test";
import { fileURLToPath } from "node:url";
import { openLocalSearch } from "@segnas/operator/local/run.ts";
import { localSource } from "@segnas/operator/web/page/local.ts";
import { servePage } from "@segnas/operator/web/page/server.ts";
import { newFolder, options, pretendTrainer, removeFolder } from "./local-fixtures.ts";
import { closeBrowser, closePages, noBrowser, open, overflow } from "./page-browser.ts";
import { syntheticSource } from "./page-synthetic.ts";
import type { Pretence } from "./pretend-trainer.ts";

const skip = noBrowser() ?? false;
const timeout = 120_000;
after(closeBrowser);

/** A search whose trials train until they are released, and its page. */
async function watched(context: TestContext, spec: object, pretence: Partial<Pretence> = {}) {
  const stateDir = newFolder();
  const released = join(stateDir, "released");
  mkdirSync(released);
  const local = await openLocalSearch(
    options(stateDir, spec, { milliseconds: 0, until: released, ...pretence }),
  );
  const failures: unknown[] = [];
  const server = await servePage({
    source: localSource(local, stateDir),
    host: "127.0.0.1",
    port: 0,
    failed: (error) => failures.push(error),
  });
  const stop = new AbortController();
  let running: Promise<unknown> = Promise.resolve();
  context.after(async () => {
    await closePages();
    stop.abort();
    await running;
    server.close();
    server.closeAllConnections();
    await local.close();
    removeFolder(stateDir);
    assert.deepEqual(failures, []);
  });
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    run: () => {
      running = local.run(stop.signal);
      return running;
    },
    release: (...indices: number[]) => {
      for (const index of indices) writeFileSync(join(released, `quick-${index}`), "");
    },
  };
}

test("a search is watched from its first second to its end", { skip, timeout }, async (context) => {
  const spec = { maxTrials: 12, parallelism: 3 };
  const { url, run, release } = await watched(context, spec, { misdeeds: { 1: [65] } });
  const page = await open(url);
  // With the keyboard alone.
  await page.getByRole("link", { name: "quick" }).waitFor();
  await page.keyboard.press("Tab");
  await page.keyboard.press("Tab");
  await page.keyboard.press("Enter");
  await page.getByRole("heading", { name: "quick", level: 1 }).waitFor();
  await page.getByText("Nothing has begun yet.").waitFor();

  const ended = run();
  await page.getByText("The first trials train.").waitFor();
  await page.getByText("1 of 12, 3 training, 1 failed").waitFor();
  await page.getByText("epoch 1 of 2").first().waitFor();
  release(0);
  await page.getByText("2 of 12, 3 training, 1 failed").waitFor();
  await page
    .getByRole("group", { name: /^Reward of 2 trials in their order; the best is 0\.\d{3}$/ })
    .waitFor();
  release(...Array.from({ length: 12 }, (_, i) => i));
  await page.getByText("12 of 12, 1 failed").waitFor();
  await page.locator(".state.Complete").waitFor();
  await ended;

  const rows = page.getByRole("region", { name: "Table of trials" }).locator("tbody tr:not(.gap)");
  assert.equal(await rows.count(), 12);
  await page.getByRole("button", { name: "Reward" }).press("Enter");
  const best = (
    await page.getByText("Best reward").locator("xpath=..").locator("small").textContent()
  )?.trim();
  assert.equal(await rows.first().locator("td").first().textContent(), best);
  await page.getByRole("checkbox", { name: /^Failed/ }).check();
  assert.equal(await rows.count(), 1);
  assert.match(
    (await rows.textContent()) ?? "",
    /the loss stopped being a finite number: the loss is NaN in epoch 1/,
  );
  await page.getByText("1 of 12 trials").waitFor();

  const failed = rows.getByRole("button", { name: "quick-1" });
  await failed.press("Enter");
  const dialog = page.getByRole("dialog", { name: "quick-1" });
  await dialog.getByText(/^less .*\/logs\/quick-1-0\.log$/).waitFor();
  await dialog.getByText(/^\[\[\[\d,\d,\d\]/).waitFor();
  assert.match(page.url(), /#\/default\/quick\/1$/);
  await page.keyboard.press("Escape");
  await dialog.waitFor({ state: "detached" });
  assert.equal(await page.evaluate("document.activeElement.textContent"), "quick-1");
  assert.match(page.url(), /#\/default\/quick$/);
  await page.getByLabel("Name or words").fill("quick-0");
  await page.getByText("No trial is like that.").waitFor();
});

test("on a phone nothing is wider than the screen, and in the dark it is dark", {
  skip,
  timeout,
}, async (context) => {
  const { url, run, release } = await watched(context, { maxTrials: 12 });
  release(...Array.from({ length: 12 }, (_, i) => i));
  await run();
  const phone = { viewport: { width: 360, height: 740 }, colorScheme: "dark" as const, hasTouch: true };
  for (const place of ["#/", "#/default/quick"]) {
    const page = await open(`${url}${place}`, phone);
    await page.locator(".state.Complete").waitFor();
    assert.equal(await overflow(page), 0, place);
    const background: string = await page.evaluate("getComputedStyle(document.body).backgroundColor");
    assert.equal(background, "rgb(18, 22, 29)");
  }
});

test("a page whose server goes says so, and goes on once it is back", { skip, timeout }, async (context) => {
  const first = await serveAt(0);
  const { port } = first.address() as AddressInfo;
  const page = await open(`http://127.0.0.1:${port}/`, {}, /ERR_CONNECTION_REFUSED/);
  await page.getByText("There is no search yet.").waitFor();
  first.close();
  first.closeAllConnections();
  await page.getByText("Nothing answers here").waitFor();
  await page.getByText("There is no search yet.").waitFor();
  const second = await serveAt(port);
  context.after(async () => {
    await closePages();
    second.close();
    second.closeAllConnections();
  });
  await page.getByText("Nothing answers here").waitFor({ state: "detached" });
});

/** A page without searches. */
const serveAt = (port: number) =>
  servePage({
    source: syntheticSource({}),
    host: "127.0.0.1",
    port,
    failed: (error) => assert.fail(String(error)),
  });

test("segnas search says where its page is, and serves it while it runs", {
  skip,
  timeout,
}, async (context) => {
  const folder = newFolder();
  context.after(() => removeFolder(folder));
  writeFileSync(
    join(folder, "trainer.mjs"),
    `if (process.argv.includes("--check")) process.exit(0);\nawait import(${JSON.stringify(pretendTrainer)});`,
  );
  const manifest = `{apiVersion: segnas.dev/v1alpha1, kind: ArchitectureSearch, metadata: {name: small}, spec: {maxTrials: 2, dataset: {format: Shapes}}}`;
  writeFileSync(join(folder, "search.yaml"), manifest);
  const main = fileURLToPath(new URL("../../cli/main.ts", import.meta.url));
  const child = spawn(
    process.execPath,
    [main, "search", "-f", "search.yaml", "--trainer", "trainer.mjs", "--page", "0"],
    {
      cwd: folder,
      env: { ...process.env, PRETEND: JSON.stringify({ milliseconds: 0, until: folder }) },
      stdio: ["ignore", "pipe", "inherit"],
    },
  );
  const exit = new Promise((resolve) => child.once("exit", resolve));
  const lines = createInterface(child.stdout)[Symbol.asyncIterator]();
  let url: string | undefined;
  while (url === undefined) {
    const { value = "", done } = await lines.next();
    assert.ok(!done);
    url = /^Page: (\S+)$/.exec(value)?.[1];
  }
  const page = await open(url);
  await page.getByRole("link", { name: "small" }).click();
  await page.getByText("0 of 2, 2 training").waitFor();
  await closePages();
  for (const trial of ["small-0", "small-1"]) writeFileSync(join(folder, trial), "");
  for await (const _ of { [Symbol.asyncIterator]: () => lines });
  assert.equal(await exit, 0);
});
