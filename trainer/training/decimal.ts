// Reals as people write them: decimal strings, as the API conventions of Kubernetes ask.
import { UserError } from "@segnas/searchspace/errors.ts";
import { show } from "@segnas/searchspace/fields.ts";

/** A finite number of 0 or more. Throws UserError naming the place. */
export function decimal(value: unknown, place: string): number {
  const number = typeof value === "string" && value.trim() !== "" ? Number(value) : Number.NaN;
  if (!Number.isFinite(number) || number < 0)
    throw new UserError(
      `${place}: ${show(value)} is not allowed, write a decimal string of 0 or more, like "0.01"`,
    );
  return number;
}
