// How a learning rate changes in the course of a stage: a factor on it for each step.
import { UserError } from "@segnas/searchspace/errors.ts";
import { choice, fields, integer } from "@segnas/searchspace/fields.ts";
import { decimal } from "./decimal.ts";

export type Schedule =
  | { type: "Constant" }
  /** DeepLab's "poly" (arXiv 1606.00915). */
  | { type: "Polynomial"; power: number }
  /** Times gamma after each `stepEpochs` epochs. */
  | { type: "Step"; stepEpochs: number; gamma: number }
  /** Smith and Topin's one cycle (arXiv 1708.07120) in PyTorch's form; momentum stays. */
  | { type: "OneCycle"; warmUpShare: number; divFactor: number; finalDivFactor: number };

/**
 * What the learning rate is multiplied by at a step, counted from 0, of a stage of `epochs` with `steps` each.
 * Polynomial: (1 - step / all)^power. Step: gamma^floor(epoch / stepEpochs). OneCycle (torch.optim.lr_scheduler):
 * along half cosines from 1 / divFactor up to 1 at step warmUpShare x all - 1, and down to
 * 1 / (divFactor x finalDivFactor) at the last.
 */
export function rateFactor(schedule: Schedule, step: number, epochs: number, steps: number): number {
  const all = epochs * steps;
  switch (schedule.type) {
    case "Constant":
      return 1;
    case "Polynomial":
      return (1 - step / all) ** schedule.power;
    case "Step":
      return schedule.gamma ** Math.floor(step / steps / schedule.stepEpochs);
    case "OneCycle": {
      const { warmUpShare, divFactor, finalDivFactor } = schedule;
      const first = 1 / divFactor;
      const peak = warmUpShare * all - 1;
      return step <= peak && peak > 0
        ? halfCosine(first, 1, step / peak)
        : halfCosine(1, first / finalDivFactor, (step - peak) / (all - 1 - peak));
    }
  }
}

const halfCosine = (from: number, to: number, share: number): number =>
  to + ((from - to) / 2) * (1 + Math.cos(Math.PI * share));

const OWN = {
  Constant: [],
  Polynomial: ["power"],
  Step: ["stepEpochs", "gamma"],
  OneCycle: ["warmUpShare", "divFactor", "finalDivFactor"],
} as const;

/** A stage's field `schedule`; reals are decimal strings. Throws UserError. */
export function parseSchedule(value: unknown, place: string): Schedule {
  const all = ["type", ...Object.values(OWN).flat()] as const;
  const given = fields(value, place, all, ["type"]);
  const type = choice(given.type, `${place}.type`, Object.keys(OWN) as (keyof typeof OWN)[]);
  const own: readonly string[] = OWN[type];
  const other = all.find((name) => name !== "type" && given[name] !== undefined && !own.includes(name));
  if (other) throw new UserError(`${place}.${other}: is not for type ${type}, leave it out`);
  const number = (name: keyof typeof given, usual: number) =>
    given[name] === undefined ? usual : decimal(given[name], `${place}.${name}`);
  switch (type) {
    case "Constant":
      return { type };
    case "Polynomial":
      return { type, power: number("power", 0.9) };
    case "Step":
      if (given.stepEpochs === undefined)
        throw new UserError(`${place}.stepEpochs: is missing, write after how many epochs the rate falls`);
      return {
        type,
        stepEpochs: integer(given.stepEpochs, `${place}.stepEpochs`, 1, 10_000),
        gamma: number("gamma", 0.1),
      };
    case "OneCycle": {
      const share = number("warmUpShare", 0.3);
      if (share >= 1)
        throw new UserError(
          `${place}.warmUpShare: ${share} is not allowed, write a share below 1, like "0.3"`,
        );
      const divisor = (name: "divFactor" | "finalDivFactor", usual: number) => {
        const found = number(name, usual);
        if (found < 1)
          throw new UserError(
            `${place}.${name}: ${found} is not allowed, write a decimal string of 1 or more`,
          );
        return found;
      };
      return {
        type,
        warmUpShare: share,
        divFactor: divisor("divFactor", 25),
        finalDivFactor: divisor("finalDivFactor", 1e4),
      };
    }
  }
}
