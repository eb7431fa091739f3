// The stage gate: a trial goes on past a validation only with a reward above the threshold in its own spec. Where
// thresholds come from is the search's affair.
import { UserError } from "@segnas/searchspace/errors.ts";
import { fields, integer, show } from "@segnas/searchspace/fields.ts";

/** A validation's place in the schedule: after this epoch of this stage. */
export interface Place {
  stage: 0 | 1;
  epoch: number;
}

/** What the reward at a place must exceed. */
export type Gate = (Place & { threshold: number })[];

/** The field `gate`: a list of {stage, epoch, threshold}, the threshold a decimal string. Throws UserError. */
export function parseGate(value: unknown): Gate {
  if (!Array.isArray(value))
    throw new UserError(`gate: ${show(value)} is not a list, write one of stage, epoch and threshold`);
  const gate = value.map((item, i) => {
    const place = `gate[${i}]`;
    const { stage, epoch, threshold } = fields(item, place, ["stage", "epoch", "threshold"]);
    const number = typeof threshold === "string" && threshold.trim() !== "" ? Number(threshold) : Number.NaN;
    if (!Number.isFinite(number))
      throw new UserError(
        `${place}.threshold: ${show(threshold)} is not allowed, write a decimal string, like "0.25"`,
      );
    return {
      stage: integer(stage, `${place}.stage`, 0, 1) as 0 | 1,
      epoch: integer(epoch, `${place}.epoch`, 1, 1e6),
      threshold: number,
    };
  });
  const twice = gate.findIndex((item, i) => gate.findIndex((other) => samePlace(item, other)) < i);
  if (twice >= 0)
    throw new UserError(`gate[${twice}]: is a second threshold for the same stage and epoch, write one`);
  return gate;
}

const samePlace = (a: Place, b: Place): boolean => a.stage === b.stage && a.epoch === b.epoch;

/** Whether a trial with this reward at a place goes on; without a threshold there it does. */
export function passes(gate: Gate, { stage, epoch, reward }: Place & { reward: number }): boolean {
  const found = gate.find((item) => samePlace(item, { stage, epoch }));
  return found === undefined || reward > found.threshold;
}
