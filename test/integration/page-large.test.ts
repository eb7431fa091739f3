// Long searches in a real browser: ten thousand trials, and several searches in one chart.
import assert from "node:assert/strict";
import type { AddressInfo } from "node:net";
import { after, type TestContext, test } from "node:test";
import { servePage } from "@segnas/operator/web/page/server.ts";
import type { PageSource } from "@segnas/operator/web/page/source.ts";
import { makeTrial } from "../unit/controllers/objects.ts";
import { blocked, closeBrowser, closePages, noBrowser, open, overflow } from "./page-browser.ts";
import { syntheticSource } from "./page-synthetic.ts";

const skip = noBrowser() ?? false;
const timeout = 120_000;
after(closeBrowser);

async function serve(context: TestContext, source: PageSource): Promise<string> {
  const failures: unknown[] = [];
  const server = await servePage({
    source,
    host: "127.0.0.1",
    port: 0,
    failed: (error) => failures.push(error),
  });
  context.after(async () => {
    await closePages();
    server.close();
    server.closeAllConnections();
    assert.deepEqual(failures, []);
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
}

test("of ten thousand trials those in sight are in the document, wherever one scrolls", {
  skip,
  timeout,
}, async (context) => {
  const url = await serve(context, syntheticSource({ city: 10_000 }));
  const page = await open(`${url}#/default/city`);
  const region = page.getByRole("region", { name: "Table of trials" });
  const rows = region.locator("tbody tr:not(.gap)");
  await rows.first().waitFor();
  await page
    .getByRole("group", { name: /^Reward of 10,000 trials/ })
    .locator("canvas")
    .waitFor();
  const [paint] = await page.evaluate<number[]>(
    'performance.getEntriesByName("first-contentful-paint").map(({ startTime }) => Math.round(startTime))',
  );
  context.diagnostic(`first paint after ${paint} ms, blocked for ${await blocked(page)} ms at most`);
  for (const share of [0.25, 0.5, 1]) {
    const top = await region.evaluate(
      (area, share) => (area.scrollTop = share * (area.scrollHeight - area.clientHeight)),
      share,
    );
    // The first row that can be seen, at 34 pixels each.
    const index = 9_999 - Math.ceil(top / 34);
    await region.getByRole("button", { name: `city-${index}`, exact: true }).waitFor();
    assert.ok((await rows.count()) < 60);
  }
  await region.getByRole("button", { name: "city-0", exact: true }).waitFor();
  context.diagnostic(`blocked for ${await blocked(page)} ms at most while it scrolled`);
  await page.getByLabel("Parameters up to").fill("91000");
  await page.getByLabel("Reward from").fill("0.5");
  await page.getByText(/^\d\d? of 10,000 trials$/).waitFor();
  context.diagnostic(`blocked for ${await blocked(page)} ms at most while it was filtered`);
});

test("what settles while somebody looks is in the charts, however much there is already", {
  skip,
  timeout,
}, async (context) => {
  const source = syntheticSource({ city: 10_000 });
  let settled = 9_990;
  const url = await serve(context, {
    ...source,
    view: async (key) => {
      const view = (await source.view(key))!;
      return { ...view, entries: view.entries.slice(0, settled) };
    },
  });
  const page = await open(`${url}#/default/city`);
  const chart = (trials: string) => page.getByRole("group", { name: `Reward of ${trials} trials` });
  await chart("9,990").locator("canvas").waitFor();
  await blocked(page);
  settled = 10_000;
  const drawn = chart("10,000").locator(".u-over");
  const { width } = (await drawn.boundingBox())!;
  const words = chart("10,000").locator("xpath=following-sibling::p");
  // At the right edge its last trial is read.
  do await drawn.hover({ position: { x: width - 1, y: 50 } });
  while (!(await words.textContent())?.startsWith("city-9999:"));
  context.diagnostic(`blocked for ${await blocked(page)} ms at most while ten trials came`);
});

test("a name as long as Kubernetes allows fits on a phone", { skip, timeout }, async (context) => {
  const name = "asearchwithanamethatsomebodyhasthoughtaboutforsuchalongtimehere";
  const source = syntheticSource({ [name]: 30 });
  const attempts = [{ number: 0, job: "j", startTime: "2026-03-01T10:00:00Z" }];
  const trial = makeTrial(30, { attempts });
  const trials = [{ ...trial, metadata: { ...trial.metadata, name: `${name}-30` } }];
  const url = await serve(context, {
    ...source,
    view: async (key) => ({ ...(await source.view(key))!, trials }),
  });
  for (const place of ["", `#/default/${name}`, `#/default/${name}/5`]) {
    const page = await open(`${url}${place}`, { viewport: { width: 360, height: 740 } });
    await page.getByText("30 of 30").waitFor();
    if (place)
      await page
        .getByRole("button", { name: `${name}-29` })
        .getByText("asearchw…-29")
        .waitFor();
    assert.equal(await overflow(page), 0, place);
  }
});

test("several searches lie over each other in one chart", { skip, timeout }, async (context) => {
  const url = await serve(context, syntheticSource({ village: 400, town: 60, hamlet: 7 }));
  const page = await open(url);
  await page.getByText("Tick searches to see them in one chart.").waitFor();
  await page.getByLabel("village in the chart").check();
  await page.getByLabel("hamlet in the chart").check();
  const chart = page.getByRole("group", {
    name: "Best reward so far, and mean of the last trials, of village, hamlet",
  });
  await chart.locator("canvas").waitFor();
  await page.getByText("hamlet: best so far").waitFor();
  await page.getByLabel("village in the chart").uncheck();
  await chart.waitFor({ state: "detached" });
});
