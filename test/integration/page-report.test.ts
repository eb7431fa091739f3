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
  // Every point, those that share an x too, and the same when the chart is zoomed in.
  const sizes = page.getByRole("group", { name: /^Reward against parameters/ });
  const size = page.locator("figure", { has: sizes }).locator(".read-out");
  await sizes.focus();
  const seen: string[] = [];
  const walk = async (key: string) => {
    await page.keyboard.press(key);
    seen.push((await size.textContent())!);
  };
  await walk("Home");
  for (let i = 1; i < 40; i++) await walk("ArrowRight");
  assert.ok(new Set(seen).size >= 39, "a step for each trial");
  const room = (await chart.locator(".u-over").boundingBox())!;
  const drag = async (from: number, to: number) => {
    await page.mouse.move(room.x + from * room.width, room.y + 50);
    await page.mouse.down();
    await page.mouse.move(room.x + to * room.width, room.y + 50, { steps: 5 });
    await page.mouse.up();
  };
  await drag(0.4, 0.5);
  await chart.focus();
  assert.equal(await read("Home"), "village-0");
  for (let i = 1; i < 8; i++) assert.equal(await read("ArrowRight"), `village-${i}`);
  await page.keyboard.press("Escape");
  // What is not the chart's is left to the browser.
  const prevented = await page.evaluate(`["PageDown", "Escape", "Tab", "ArrowLeft"].map((key) => {
    const event = new KeyboardEvent("keydown", { key, altKey: key === "ArrowLeft", cancelable: true, bubbles: true });
    document.querySelector(".chart").dispatchEvent(event);
    return event.defaultPrevented;
  })`);
  assert.deepEqual(prevented, [false, false, false, false]);
  assert.equal(await read("Home"), "village-0");
  for (let i = 1; i <= 5; i++) await page.keyboard.press("ArrowRight");
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

test("whatever its address says, it shows its search", options, async () => {
  const page = await open(`${await reportOf("town")}#best`);
  await page.getByRole("heading", { name: "town", level: 1 }).waitFor();
});

test("axe finds nothing wrong, and nothing is wider than a phone", options, async () => {
  const url = await reportOf("town");
  for (const look of LOOKS) {
    const page = await open(url, look);
    await page.locator("canvas").nth(3).waitFor();
    assert.deepEqual([await faults(page), await overflow(page)], [[], 0], JSON.stringify(look));
  }
});
