// Every view of the page under axe, which looks for what keeps people from reading or using it: light and dark, on a wide
// screen and on a phone.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import type { AddressInfo } from "node:net";
import { after, type TestContext, test } from "node:test";
import type { Access } from "@segnas/operator/web/page/access.ts";
import { servePage } from "@segnas/operator/web/page/server.ts";
import type { PageSource } from "@segnas/operator/web/page/source.ts";
import type { AxeResults } from "axe-core";
import type { Page } from "playwright-core";
import { makeTrial } from "../unit/controllers/objects.ts";
import { closeBrowser, closePages, noBrowser, open } from "./page-browser.ts";
import { syntheticSource } from "./page-synthetic.ts";

after(closeBrowser);

const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const LOOKS = (["light", "dark"] as const).flatMap((colorScheme) =>
  [1280, 360].map((width) => ({ colorScheme, viewport: { width, height: 900 } })),
);
const time = "2026-03-01T10:00:00Z";

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

/** Two searches that have ended, and one in which a trial trains, one waits and something was told. */
function source(): PageSource {
  const ended = syntheticSource({ village: 60, hamlet: 7, town: 30 });
  const pending = {
    type: "Progressing",
    status: "True" as const,
    reason: "Pending",
    message: "Unschedulable: no GPU",
  };
  const attempt = { number: 0, job: "j", creationTime: time };
  const open = [
    makeTrial(30, { attempts: [{ ...attempt, startTime: time }] }),
    makeTrial(31, { attempts: [attempt], conditions: [{ ...pending, lastTransitionTime: time }] }),
  ];
  return {
    ...ended,
    async view(key) {
      const view = (await ended.view(key))!;
      if (key.name !== "town") return view;
      const { completionTime: _, ...status } = view.search.status!;
      return {
        ...view,
        search: { ...view.search, spec: { ...view.search.spec, maxTrials: 40 }, status },
        trials: open.map((trial) => ({
          ...trial,
          metadata: { ...trial.metadata, name: `town-${trial.spec.index}` },
        })),
        running: [{ trial: "town-30", stage: "0", progress: { stage: 0, epoch: 1, epochs: 5, loss: 0.5 } }],
        events: [{ about: "town", type: "Warning", reason: "TrialFailed", note: "the loss is NaN", time }],
      };
    },
    commands: () => [{ shows: "how it stands", command: "kubectl segnas status town" }],
    log: () => ({ shows: "its log", command: "kubectl logs job/j" }),
  };
}

/** What axe finds wrong. */
async function faults(page: Page): Promise<string[]> {
  await page.evaluate(AXE);
  const { violations } = (await page.evaluate("axe.run()")) as AxeResults;
  return violations.flatMap(({ id, nodes }) => nodes.map(({ html }) => `${id}: ${html}`));
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
    const url = await serve(context, source());
    for (const look of LOOKS) {
      const page = await open(`${url}${place}`, look);
      await come(page);
      assert.deepEqual(await faults(page), [], JSON.stringify(look));
    }
  });

test("axe finds nothing wrong: no search, and who are you", options, async (context) => {
  const empty = await serve(context, syntheticSource({}));
  const closed = await serve(context, source(), { viewer: async () => undefined });
  for (const look of LOOKS) {
    const list = await open(empty, look);
    await list.getByText("There is no search yet.").waitFor();
    assert.deepEqual(await faults(list), []);
    const form = await open(closed, look, /status of 401/);
    await form.getByLabel("Token").waitFor();
    assert.deepEqual(await faults(form), []);
  }
});
