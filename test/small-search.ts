// The spec of a search that tests with pretended trainers run: few trials, several at a time, and a policy that learns
// from them.
export const SMALL_SEARCH = {
  seed: 7,
  maxTrials: 6,
  parallelism: 4,
  policyLag: 4,
  rewardOrder: "Index",
  policy: { batchSize: 5, epochs: 1 },
  dataset: { format: "Shapes" },
  training: { crop: { height: 64, width: 64 } },
};
