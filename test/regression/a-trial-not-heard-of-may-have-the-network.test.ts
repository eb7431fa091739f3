// Found by a thousand interleavings and by `segnas verify` on them. Process A made trial 4 and was about to make 5; B took over, knew from the
// ledger that both indices were reserved and that 4 was made, but had not heard of trial 4 itself: it made 5, the same
// network, as if there was no other, and that was trained a second time. And one that heard of its own trial 4 while it was
// about to make it, and it was deleted in between, made it wait for the result of itself.
import { test } from "node:test";
import { assertUndisturbed } from "../unit/controllers/model-law.ts";
import { pretendPolicy } from "../unit/controllers/pretend-policy.ts";

const law = { startPolicy: pretendPolicy, runs: 1, maxTrials: 14 };

test("a network that another process has made is not trained again", () =>
  assertUndisturbed({ ...law, rewardOrder: "Index", replay: { seed: 1377377179, path: "252" } }));

test("no trial waits for itself", () =>
  assertUndisturbed({ ...law, rewardOrder: "Completion", replay: { seed: -1225519256, path: "743" } }));
