// A search of the same name in another namespace went into the folder of the first: its trials overwrote the other's
// artifacts, a search that had been killed there was trained on beside it, and verify and status told of one of them alone.
import assert from "node:assert/strict";
import { test } from "node:test";
import { takeOver } from "@segnas/operator/local/takeover.ts";
import { makeSearch } from "../unit/controllers/objects.ts";
import { temporaryStore } from "../unit/local/folder.ts";

test("a folder that holds the search of a name in one namespace takes none of that name in another", async (context) => {
  const store = temporaryStore(context);
  const first = makeSearch();
  await takeOver(store, first, "folder");
  const second = { ...first, metadata: { ...first.metadata, namespace: "mine" } };
  await assert.rejects(takeOver(store, second, "folder"), {
    name: "UserError",
    message:
      "metadata.namespace: folder holds the search s in the namespace default; give that in mine another folder with --state",
  });
  assert.equal((await store.list("ArchitectureSearch")).length, 1);
});
