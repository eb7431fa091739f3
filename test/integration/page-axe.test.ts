// Every view of the page under axe, which looks for what keeps people from reading or using it: light and dark, on a wide
// screen and on a phone.
import assert from "node:assert/strict";
import type { AddressInfo } from "node:net";
import { after, type TestContext, test } from "node:test";
import type { Access } from "@segnas/operator/web/page/access.ts";
import { servePage } from "@segnas/operator/web/page/server.ts";
import type { PageSource } from "@segnas/operator/web/page/source.ts";
import type { Page } from "playwright-core";
import { closeBrowser, closePages, faults, LOOKS, noBrowser, open } from "./page-browser.ts";
import { syntheticSource, villages } from "./page-synthetic.ts";

after(closeBrowser);

async function serve(context: TestContext, source: PageSource, access?: Access): Promise<string> {
  const server = await servePage({
    source,
    host: access ? "0.0.0.0" : "127.0.0.1",
    port: 0,
    ...(access && { access }),
    failed: (error) => assert.fail(String(error)),
  });
  context.after(async () => {
    await closePages();
    server.close();
    server.closeAllConnections();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
}

interface View {
  name: string;
  place: string;
  /** Until it is there. */
  come: (page: Page) => Promise<unknown>;
}

const views: View[] = [
  { name: "the list", place: "", come: (page) => page.getByRole("link", { name: "town" }).waitFor() },
  {
    name: "searches in one chart",
    place: "",
    async come(page) {
      await page.getByLabel("village in the chart").check();
      await page.getByLabel("hamlet in the chart").check();
      await page.locator("canvas").waitFor();
    },
  },
  {
    name: "a search that has ended",
    place: "#/default/village",
    come: (page) => page.locator("canvas").nth(3).waitFor(),
  },
  {
    name: "a search that goes on",
    place: "#/default/town",
    come: (page) => page.getByText("epoch 1 of 5").waitFor(),
  },
  {
    name: "a trial that succeeded",
    place: "#/default/village/6",
    come: (page) => page.getByRole("dialog").getByText("Reward").waitFor(),
  },
  {
    name: "a trial that failed",
    place: "#/default/village/5",
    come: (page) => page.getByRole("dialog").getByText("the loss was NaN").waitFor(),
  },
];

const options = { skip: noBrowser() ?? false, timeout: 120_000 };

for (const { name, place, come } of views)
  test(`axe finds nothing wrong: ${name}`, options, async (context) => {
    const url = await serve(context, villages());
    for (const look of LOOKS) {
      const page = await open(`${url}${place}`, look);
      await come(page);
      assert.deepEqual(await faults(page), [], JSON.stringify(look));
    }
  });

test("axe finds nothing wrong: no search, and who are you", options, async (context) => {
  const empty = await serve(context, syntheticSource({}));
  const closed = await serve(context, villages(), { viewer: async () => undefined });
  for (const look of LOOKS) {
    const list = await open(empty, look);
    await list.getByText("There is no search yet.").waitFor();
    assert.deepEqual(await faults(list), []);
    const form = await open(closed, look, /status of 401/);
    await form.getByLabel("Token").waitFor();
    assert.deepEqual(await faults(form), []);
  }
});
