// Trials that are learned from again, and how they rank.

/** A trial that may be a model for others. */
export interface Model {
  decisions: number[];
  reward: number;
}

/**
 * The best `size` of a queue and a newcomer, each architecture once: proposed again it keeps its better reward.
 * Among equal rewards the earlier stays ahead.
 */
export function admit(queue: readonly Model[], newcomer: Model, size: number): Model[] {
  const isSame = ({ decisions }: Model) =>
    decisions.every((choice, decision) => choice === newcomer.decisions[decision]);
  const known = queue.find(isSame);
  if (known !== undefined && known.reward >= newcomer.reward) return [...queue];
  const others = queue.filter((model) => model !== known);
  const place = others.filter(({ reward }) => reward >= newcomer.reward).length;
  return [...others.slice(0, place), newcomer, ...others.slice(place)].slice(0, size);
}

/**
 * The log-odds of each reward's rank: log(p / (1 - p)) where p, above 0 and below 1, is the share of rewards below
 * it, those equal to it and itself counted by half. Only the order of the rewards matters: a failure's 0 weighs no
 * more than any other last place, and when all have become good, the best still stand out.
 */
export function rankLogOdds(rewards: readonly number[]): number[] {
  const sorted = rewards.toSorted((a, b) => a - b);
  const shares = new Map<number, number>();
  for (let first = 0, next = 0; first < sorted.length; first = next) {
    while (next < sorted.length && sorted[next] === sorted[first]) next++;
    shares.set(sorted[first]!, (first + next) / 2 / sorted.length);
  }
  return rewards.map((reward) => {
    const p = shares.get(reward)!;
    return Math.log(p / (1 - p));
  });
}
