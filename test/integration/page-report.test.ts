// The report in a real browser, as people open it: a file, with nobody to ask.
import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, test } from "node:test";
import { pathToFileURL } from "node:url";
import { reportPage } from "@segnas/operator/web/page/report.ts";
import { encode } from "fast-png";
import { newFolder, removeFolder } from "./local-fixtures.ts";
import { closeBrowser, closePages, faults, LOOKS, noBrowser, open, overflow } from "./page-browser.ts";
import { villages } from "./page-synthetic.ts";

const options = { skip: noBrowser() ?? false, timeout: 120_000 };
const folder = newFolder();
after(async () => {
  await closePages();
  await closeBrowser();
  removeFolder(folder);
});

/** Writes the report of a search, whose trials have left pictures, and gives its URL. */
async function reportOf(name: string, isLive = true): Promise<string> {
  const source = villages();
  const view = (await source.view({ namespace: "default", name }))!;
  const artifacts = join(folder, name);
  const png = encode({ width: 4, height: 2, data: new Uint8Array(8), channels: 1, depth: 8 });
  for (const { trial } of view.entries) {
    const pictures = join(artifacts, trial, "pictures");
    mkdirSync(pictures, { recursive: true });
    for (const what of ["image", "truth", "prediction"]) writeFileSync(join(pictures, `0-${what}.png`), png);
    writeFileSync(join(pictures, "classes.json"), '[{"name":"sky","color":"#88aaff"}]');
  }
  const elsewhere = { ...source, artifacts: () => ({ folder: artifacts }) };
  const file = join(folder, `${name}${isLive ? "" : "-stopped"}.html`);
  writeFileSync(file, await reportPage({ ...view, isLive }, elsewhere, new Date("2026-03-04T10:00:05Z")));
  return pathToFileURL(file).href;
}

test(
  "it shows what the page shows: charts, what trains, the best, events and commands",
  options,
  async () => {
    const page = await open(await reportOf("town"));
    await page.getByText("as of 2026-03-04 10:00 UTC").waitFor();
    await page.locator("canvas").nth(3).waitFor();
    await page.getByText("epoch 1 of 5").waitFor();
    await page.getByRole("img", { name: "Loss of town-30 since its attempt began" }).waitFor();
    assert.equal(await page.locator("article").count(), 6);
    assert.equal(await page.locator(".pictures img").count(), 3);
    await page.getByText("the loss is NaN").first().waitFor();
    await page.getByText("kubectl segnas status town").waitFor();
    assert.equal(await page.getByRole("link", { name: "Searches" }).count(), 0);
    await page.getByLabel("Name or words").fill("the loss was NaN");
    await page.getByText(/^3 of 32 trials$/).waitFor();
  },
);

test("the keyboard goes through a chart's points and opens what is there", options, async () => {
  const page = await open(await reportOf("village"));
  const chart = page.getByRole("group", { name: /^Reward of 60 trials/ });
  await chart.locator("canvas").waitFor();
  const told = page.locator("figure", { has: chart }).locator(".read-out");
  await chart.focus();
  const read = async (key: string) => {
    await page.keyboard.press(key);
    return (await told.textContent())!.split(":")[0];
  };
  assert.equal(await read("ArrowLeft"), "village-59");
  assert.equal(await read("ArrowLeft"), "village-58");
  assert.equal(await read("Home"), "village-0");
  assert.equal(await read("PageDown"), "village-3");
  assert.equal(await read("ArrowRight"), "village-4");
  await page.keyboard.press("ArrowRight");
  await page.keyboard.press("Enter");
  await page.getByRole("dialog").getByRole("heading", { name: "village-5" }).waitFor();
});

test(
  "a trial among the best opens in full; of others it says where they are to be found",
  options,
  async () => {
    const page = await open(await reportOf("village"));
    await page.locator("article button.link").first().click();
    const dialog = page.getByRole("dialog");
    await dialog.getByRole("region", { name: "Drawing of the architecture" }).waitFor();
    await dialog.getByText("its log").or(dialog.getByText("Mean accuracy")).first().waitFor();
    await page.keyboard.press("Escape");
    await dialog.waitFor({ state: "detached" });
    await page.getByLabel("Reward from").fill("0");
    const byReward = page.getByRole("columnheader", { name: /^Reward/ }).getByRole("button");
    await byReward.click();
    await byReward.click();
    await page.locator("tr.Succeeded button.link").first().click();
    await dialog.getByText("The report does not have this").waitFor();
  },
);

test("one that nothing runs says so", options, async () => {
  const page = await open(await reportOf("town", false));
  await page.getByText("no process runs it; the same segnas search goes on").waitFor();
  assert.equal(await page.getByText("Under way").count(), 0);
});

test("axe finds nothing wrong, and nothing is wider than a phone", options, async () => {
  const url = await reportOf("town");
  for (const look of LOOKS) {
    const page = await open(url, look);
    await page.locator("canvas").nth(3).waitFor();
    assert.deepEqual([await faults(page), await overflow(page)], [[], 0], JSON.stringify(look));
  }
});
