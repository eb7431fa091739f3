// What a network may cost, and what is proposed within it or to begin with.
import assert from "node:assert/strict";
import { test } from "node:test";
import {
  checkConstraints,
  violationOf,
} from "@segnas/operator/controllers/architecturesearch/constraints.ts";
import { proposalFor } from "@segnas/operator/controllers/architecturesearch/proposal.ts";
import { knowledgeOf } from "@segnas/operator/controllers/architecturesearch/reconcile.ts";
import { proposedTrial } from "@segnas/operator/controllers/architecturesearch/trial.ts";
import type { LedgerEntry } from "@segnas/operator/ledger/entry.ts";
import { PUBLISHED, parseArchitecture } from "@segnas/searchspace/architecture.ts";
import { countMacs, countParameters } from "@segnas/searchspace/count.ts";
import { fromDecisions, toDecisions } from "@segnas/searchspace/decisions.ts";
import { LAYER_KINDS, predictLatency } from "@segnas/searchspace/latency.ts";
import { expand } from "@segnas/searchspace/network.ts";
import { searchDependencies } from "./dependencies.ts";
import { memoryStore } from "./memory-store.ts";
import { makeSearch } from "./objects.ts";
import { pretendPolicy } from "./pretend-policy.ts";
import { makeSource } from "./sources.ts";

const arch0 = parseArchitecture("arch0");
const searchWith = (constraints: object, spec: object = {}) =>
  makeSearch({ objective: { failureReward: "-1", constraints }, ...spec });
const network = (aggregateChannels: number, separableRepeats: number, size = 32) =>
  expand(arch0, { classes: 6, aggregateChannels, separableRepeats }, { height: size, width: size });

test("limits hold for the final network, or for the searched one where that is asked for; what equals a limit keeps it", () => {
  const final = countParameters(network(64, 2)).total;
  const searched = countParameters(network(48, 1)).total;
  assert.ok(searched < final);
  assert.equal(violationOf(searchWith({ maxParameters: final }), arch0), undefined);
  assert.equal(
    violationOf(searchWith({ maxParameters: final - 1 }), arch0),
    `it has ${final} parameters, objective.constraints.maxParameters is ${final - 1}`,
  );
  const search = { settings: "Search" };
  assert.equal(violationOf(searchWith({ maxParameters: searched, ...search }), arch0), undefined);
  assert.match(violationOf(searchWith({ maxParameters: searched - 1, ...search }), arch0)!, /^it has /);
  assert.equal(violationOf(makeSearch(), arch0), undefined);
});

test("MACs are counted at the training crop, or at the image that is named", () => {
  const [crop, image] = [countMacs(network(64, 2)).total, countMacs(network(64, 2, 64)).total];
  assert.equal(violationOf(searchWith({ maxMacs: crop }), arch0), undefined);
  assert.match(
    violationOf(searchWith({ maxMacs: crop, image: { height: 64, width: 64 } }), arch0)!,
    new RegExp(`^it has ${image} multiply-accumulates, objective.constraints.maxMacs is ${crop}$`),
  );
});

const row = { perLayer: "0.01", perGigaMac: "2", perMegaElement: "1" };
const table = { device: "a test", rows: LAYER_KINDS.map((layer) => ({ layer, ...row })) };

test("latency is what the table predicts of the network", () => {
  const milliseconds = predictLatency(table, network(64, 2));
  const latency = (maxMilliseconds: number) => ({
    latency: { maxMilliseconds: String(maxMilliseconds), table },
  });
  assert.equal(violationOf(searchWith(latency(milliseconds + 0.001)), arch0), undefined);
  assert.match(
    violationOf(searchWith(latency(milliseconds - 0.001)), arch0)!,
    /^it has a latency of [\d.]+ ms, objective\.constraints\.latency\.maxMilliseconds is /,
  );
});

test("a table that does not fit is refused with the path of its field", () => {
  const rows = table.rows.filter(({ layer }) => layer !== "Conv2D");
  const search = searchWith({ latency: { maxMilliseconds: "9", table: { rows } } });
  assert.throws(() => violationOf(search, arch0), {
    name: "UserError",
    message: /^spec\.objective\.constraints\.latency\.table\.rows: there is none for the layer Conv2D/,
  });
});

test("a table is refused before the first trial, whichever row it lacks", () => {
  const search = (lacks: (layer: string) => boolean, size: number) => {
    const rows = table.rows.filter(({ layer }) => !lacks(layer));
    const image = { height: size, width: size };
    // What is over another limit needs the table too, or it would pass for as long as that holds.
    return searchWith({ latency: { maxMilliseconds: "9", table: { rows } }, image, maxParameters: 1 });
  };
  for (const size of [32, 321]) {
    checkConstraints(search(() => false, size));
    for (const kind of LAYER_KINDS)
      assert.throws(() => checkConstraints(search((layer) => layer === kind, size)), {
        name: "UserError",
        message: new RegExp(`latency\\.table\\.rows: there is none for the layer ${kind}, `),
      });
  }
  checkConstraints(makeSearch());
});

test("a search that has trials already goes on with the table that it has", async () => {
  const rows = table.rows.filter(({ layer }) => layer !== "Concat");
  const { objective } = searchWith({ latency: { maxMilliseconds: "1e9", table: { rows } } }).spec;
  const open = async (entries: LedgerEntry[]) => {
    const store = memoryStore();
    const search = await makeSource(store, "s", { objective }, entries);
    const { policy } = await knowledgeOf(searchDependencies(store, { startPolicy: pretendPolicy }), search);
    await policy.close();
  };
  await assert.rejects(open([]), { name: "UserError", message: /none for the layer Concat/ });
  await open([{ number: 0, index: 0, trial: "s-0", outcome: "Deleted" }]);
});

test("Resample proposes again until the limits hold; FailureReward takes what comes, and says what is wrong with it", async () => {
  const policy = pretendPolicy({ settings: { name: "random", batchSize: 1 }, seed: 1 });
  const final = { classes: 6, aggregateChannels: 64, separableRepeats: 2 };
  const sizes: number[] = [];
  for (let index = 0; index < 12; index++) {
    const { decisions } = await policy.propose(index, 0);
    sizes.push(countParameters(expand(fromDecisions(decisions), final, { height: 32, width: 32 })).total);
  }
  // Some keep it, some do not.
  const constraints = { maxParameters: sizes.sort((a, b) => a - b)[5]! };
  const resample = searchWith({ ...constraints, onViolation: "Resample" });
  const first = searchWith(constraints);
  let violations = 0;
  for (let index = 0; index < 12; index++) {
    const { decisions } = await proposalFor(resample, policy, index, 0, 0);
    assert.equal(violationOf(resample, fromDecisions(decisions)), undefined);
    const proposal = await proposalFor(first, policy, index, 0, 0);
    assert.deepEqual(proposal, await policy.propose(index, 0));
    const place = { index, entries: 0, policyVersion: 0, gate: [] };
    const { violation } = proposedTrial(first, place, proposal).spec;
    if (violation === undefined) assert.deepEqual(decisions, proposal.decisions);
    else violations++;
  }
  assert.ok(violations > 0 && violations < 12, `${violations} of 12`);
});

test("where no proposal keeps the limits, one is made all the same", async () => {
  const search = searchWith({ maxParameters: 1, onViolation: "Resample" });
  const policy = pretendPolicy({ settings: { name: "random", batchSize: 1 }, seed: 1 });
  let draws = 0;
  const counting = {
    ...policy,
    propose: (...args: Parameters<typeof policy.propose>) => {
      draws++;
      return policy.propose(...args);
    },
  };
  const { decisions } = await proposalFor(search, counting, 0, 0, 0);
  assert.equal(draws, 1000);
  assert.match(violationOf(search, fromDecisions(decisions))!, /parameters/);
});

test("the first trials get the architectures that the search begins with, with the policy's probability of them", async () => {
  const { templates, blocks } = parseArchitecture(PUBLISHED.arch1);
  const architectures = [{ published: "arch0" }, { templates, blocks }];
  const search = makeSearch({ startingPoints: { architectures } });
  const policy = pretendPolicy({ settings: { name: "random", batchSize: 1 }, seed: 1 });
  for (const [index, name] of ["arch0", "arch1"].entries()) {
    const decisions = toDecisions(parseArchitecture(name));
    assert.deepEqual(await proposalFor(search, policy, index, 0, 0), {
      decisions,
      logProbability: await policy.score(0, decisions),
    });
  }
  assert.deepEqual(await proposalFor(search, policy, 2, 0, 0), await policy.propose(2, 0));
});
