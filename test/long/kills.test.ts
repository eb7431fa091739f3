// A real `segnas search` that is killed at thirty random moments comes to what an undisturbed one does.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, test } from "node:test";
import { setTimeout as wait } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { openLocalSearch } from "@segnas/operator/local/run.ts";
import { verifyFolder } from "@segnas/operator/local/verify.ts";
import {
  newFolder,
  options,
  policyHash,
  removeFolder,
  search,
  timeless,
} from "../integration/local-fixtures.ts";
import type { Misdeed, Pretence } from "../integration/pretend-trainer.ts";

const path = (file: string) => fileURLToPath(new URL(file, import.meta.url));
const KILLS = 30;
// The first snapshot is written after 57 entries.
const spec = { maxTrials: 120, parallelism: 4, policyLag: 8, retries: 1 };
/** In each attempt, as a kill costs one. */
const always = (misdeed: Misdeed) => Array<Misdeed>(2 * KILLS).fill(misdeed);
const pretence: Pretence = {
  milliseconds: 20,
  misdeeds: { 5: [1], 9: always(65), 14: always(1), 33: always("nan") },
};
const root = newFolder();
after(() => removeFolder(root));

function start(name: string) {
  const manifest = join(root, "search.json");
  writeFileSync(manifest, JSON.stringify(search(spec)));
  const args = [path("../../cli/main.ts"), "search", "-f", manifest, "--state", join(root, name)];
  return spawn(process.execPath, [...args, "--trainer", path("./trainer.ts")], {
    stdio: ["ignore", "ignore", "inherit"],
    env: { ...process.env, PRETEND: JSON.stringify(pretence) },
  });
}

async function endState(name: string) {
  const folder = join(root, name);
  const { findings } = await verifyFolder(folder);
  assert.deepEqual(findings, []);
  const local = await openLocalSearch(options(folder, spec, pretence));
  const view = await local.view();
  await local.close();
  const { trials: counts, best, top, paretoFront, entries, policyUpdates } = view.search.status!;
  return {
    entries: timeless(view.entries),
    updates: view.policy,
    policy: await policyHash(view),
    status: { counts, best, top, paretoFront, entries, policyUpdates },
  };
}

test("thirty kills change nothing", async (context) => {
  const undisturbed = start("undisturbed");
  const [code] = await once(undisturbed, "exit");
  assert.equal(code, 0);
  let kills = 0;
  for (;;) {
    const child = start("killed");
    const exit = once(child, "exit");
    const moment = 300 + Math.random() * 1300;
    const killing = new AbortController();
    if (kills < KILLS)
      wait(moment, undefined, { signal: killing.signal }).then(
        () => child.kill("SIGKILL"),
        () => {},
      );
    const [ended, signal] = await exit;
    killing.abort();
    if (signal !== "SIGKILL") {
      assert.equal(ended, 0);
      break;
    }
    kills++;
  }
  context.diagnostic(`${kills} kills`);
  assert.deepEqual(await endState("killed"), await endState("undisturbed"));
});
