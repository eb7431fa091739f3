// Searches, trials, Jobs and pods for tests.
import type { ArchitectureSearch } from "@segnas/operator/api/generated/architecturesearches.ts";
import type { CandidateTrial, CandidateTrialStatus } from "@segnas/operator/api/generated/candidatetrials.ts";
import { controllerReference, type Job, type Pod } from "@segnas/operator/api/store.ts";
import { admit } from "@segnas/operator/api/validate.ts";
import { proposedTrial } from "@segnas/operator/controllers/architecturesearch/trial.ts";
import { attemptJob } from "@segnas/operator/controllers/candidatetrial/job.ts";
import { sampleUniform, toDecisions } from "@segnas/searchspace/decisions.ts";
import { random } from "@segnas/searchspace/random.ts";

/** A search as a store has it. */
export function makeSearch(spec: object = {}): ArchitectureSearch {
  const search = admit("ArchitectureSearch", {
    apiVersion: "segnas.dev/v1alpha1",
    kind: "ArchitectureSearch",
    metadata: { name: "s" },
    spec: {
      maxTrials: 20,
      dataset: { format: "Shapes" },
      training: { crop: { height: 32, width: 32 } },
      objective: { failureReward: "-1" },
      ...spec,
    },
  });
  return {
    ...search,
    metadata: { ...search.metadata, namespace: "default", uid: "search-uid", generation: 1 },
  };
}

const { decisions, ...rest } = { decisions: toDecisions(sampleUniform(random(1))), logProbability: -50 };

/** A trial as a store has it. Making networks takes its time: it is done once. */
const model = proposedTrial(
  makeSearch(),
  { index: 0, entries: 0, policyVersion: 0, gate: [] },
  { decisions, ...rest },
);
export function makeTrial(index: number, status?: CandidateTrialStatus): CandidateTrial {
  const metadata = { ...model.metadata, name: `s-${index}`, uid: `trial-${index}`, generation: 1 };
  // Each its own network, or all would be duplicates.
  const network = index.toString(16).padStart(32, "0");
  return { ...model, metadata, spec: { ...model.spec, index, network }, ...(status && { status }) };
}

export function makeJob(
  search: ArchitectureSearch,
  trial: CandidateTrial,
  number = 0,
  uid = `job-${number}`,
): Job {
  const job = attemptJob(search, trial, number);
  return { ...job, metadata: { ...job.metadata, uid } };
}

type PodStatus = NonNullable<Pod["status"]>;
export function makePod(job: Job, status: PodStatus): Pod {
  const { spec } = job.spec.template;
  const metadata = { name: `${job.metadata.name}-pod`, ownerReferences: [controllerReference(job)] };
  return { apiVersion: "v1", kind: "Pod", metadata, spec, status };
}
