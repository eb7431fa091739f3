// The page where `segnas search` serves it.
import assert from "node:assert/strict";
import { test } from "node:test";
import { localSource } from "@segnas/operator/web/page/local.ts";
import { makeSearch } from "../controllers/objects.ts";

const KEY = { namespace: "default", name: "s" };

test("those who look at the same time look once, and at the one search there is", async () => {
  let looks = 0;
  const search = makeSearch();
  const view = async () => {
    looks++;
    return { search, trials: [], entries: [], running: [], policy: [] };
  };
  const source = localSource({ view }, "/state");
  const [searches, seen, other] = await Promise.all([
    source.searches(),
    source.view(KEY),
    source.view({ ...KEY, name: "other" }),
  ]);
  assert.deepEqual([searches, seen?.search, other, looks], [[search], search, undefined, 1]);
});

test("a look that failed is not the answer for ever", async () => {
  let isBroken = true;
  const search = makeSearch();
  const source = localSource(
    {
      async view() {
        if (isBroken) throw new Error("broken");
        return { search, trials: [], entries: [], running: [], policy: [] };
      },
    },
    "/state",
  );
  await assert.rejects(source.searches(), /broken/);
  isBroken = false;
  assert.deepEqual(await source.searches(), [search]);
});

test("commands can be given to a shell as they are", () => {
  const source = localSource({ view: () => Promise.reject(new Error()) }, "/my state/it's");
  assert.equal(source.log(KEY, "s-0-0", false)?.command, "less '/my state/it'\\''s/logs/s-0-0.log'");
  assert.match(source.commands(KEY)[0]!.command, / --state '\/my state\/it'\\''s'$/);
});
