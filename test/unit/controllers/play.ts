// A search that is played without a store: for tests of what is decided about one.
import assert from "node:assert/strict";
import type { ArchitectureSearch } from "@segnas/operator/api/generated/architecturesearches.ts";
import type { CandidateTrial } from "@segnas/operator/api/generated/candidatetrials.ts";
import {
  decideSearch,
  type SearchAction,
  type SearchWorld,
} from "@segnas/operator/controllers/architecturesearch/decide.ts";
import { isOriginal } from "@segnas/operator/controllers/architecturesearch/untrained.ts";
import { settledStatus } from "@segnas/operator/controllers/candidatetrial/decide.ts";
import type { LedgerEntry } from "@segnas/operator/ledger/entry.ts";
import { EMPTY, fold } from "@segnas/operator/ledger/fold.ts";
import { makeSearch, makeTrial } from "./objects.ts";

export const settings = { batchSize: 3, failureReward: -1, policyLag: 4, gate: undefined };
export const start = Date.parse("2026-01-01T00:00:00Z");

/** What decide asks for is done at once. */
export class Play {
  search: ArchitectureSearch;
  trials: CandidateTrial[] = [];
  entries: LedgerEntry[] = [];
  state = EMPTY;
  proposals: { index: number; version: number; entries: number }[] = [];
  noted = { reserved: 0, forgiven: 0 };
  unmade = false;
  now = start;
  told: Date | undefined;
  hasJobs = false;
  make = (index: number): CandidateTrial => makeTrial(index);

  constructor(spec: object) {
    this.search = makeSearch({ policyLag: 4, parallelism: 3, ...spec });
  }

  world(): SearchWorld {
    const { search, trials, state } = this;
    const numbers = new Map(this.entries.map(({ index, number }) => [index, number]));
    const made = (this.proposals.at(-1)?.index ?? -1) + 1;
    const { noted, unmade, now } = this;
    const originals = this.entries.filter(isOriginal).toSorted((a, b) => b.index - a.index);
    const networks = new Map(originals.map((entry) => [entry.network, entry]));
    const known = { search, trials, settings, state, numbers, networks, made, noted, unmade };
    return { ...known, hasJobs: this.hasJobs, told: this.told, entropy: undefined, now: new Date(now) };
  }

  /** Decides and acts until nothing changes. */
  run(): void {
    for (;;) {
      const actions = decideSearch(this.world()).filter(({ type }) => type !== "Wait");
      if (actions.length === 0) return;
      for (const action of actions) this.act(action);
    }
  }

  private act(action: SearchAction): void {
    if (action.type === "Append") {
      this.state = fold(settings, this.state, action.entry);
      this.entries.push(action.entry);
    } else if (action.type === "MarkEntered") {
      this.change(action.trial.spec.index, { entry: action.entry });
    } else if (action.type === "Propose") {
      const { index, policyVersion: version, entries } = action.place;
      assert.ok(index < this.noted.reserved);
      this.trials.push(this.make(index));
      this.proposals.push({ index, version, entries: this.state.entries });
      assert.ok(entries <= this.state.entries);
    } else if (action.type === "DeleteTrial") {
      this.trials = this.trials.filter((trial) => trial.metadata.name !== action.trial.metadata.name);
    } else if (action.type === "Reserve") {
      this.noted.reserved = action.to;
    } else if (action.type === "Settle") {
      const { trial, result } = action;
      this.change(trial.spec.index, settledStatus(trial, [], result, new Date(this.now)));
    } else if (action.type === "Retrain") {
      this.change(action.trial.spec.index, { retrain: true });
    } else if (action.type === "Forgive") {
      this.noted.forgiven = action.entries;
    } else if (action.type === "WriteStatus") {
      this.search = { ...this.search, status: action.status };
    }
  }

  private change(index: number, status: CandidateTrial["status"]): void {
    this.trials = this.trials.map((trial) =>
      trial.spec.index === index ? { ...trial, status: { ...trial.status, ...status } } : trial,
    );
  }

  unsettled(): CandidateTrial[] {
    return this.trials.filter(({ status }) => !status?.result);
  }

  /** Ends an unsettled trial: which of them and how is up to the numbers. */
  settle(which: number, how: number): void {
    const open = this.unsettled();
    const trial = open[which % open.length];
    if (!trial) return;
    const { index } = trial.spec;
    this.now += 1000;
    const endTime = new Date(this.now).toISOString();
    if (how === 0) this.trials = this.trials.filter((other) => other !== trial);
    else if (how === 1) this.end(index, endTime, { outcome: "Failed", reward: "-1", cause: "TimeLimit" });
    else if (how === 2) this.end(index, endTime, { outcome: "Failed", cause: "Infrastructure" });
    else this.end(index, endTime, { outcome: "Succeeded", reward: String(how / 10) });
  }

  end(
    index: number,
    endTime: string,
    result: NonNullable<NonNullable<CandidateTrial["status"]>["result"]>,
  ): void {
    this.change(index, { result, attempts: [{ number: 0, job: `s-${index}-0`, endTime }] });
  }

  condition(type: string) {
    return this.search.status?.conditions?.find((condition) => condition.type === type);
  }
}
