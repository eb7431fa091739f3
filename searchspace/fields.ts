// Checks of values that people wrote: each takes a value and the path of its place, and throws UserError with
// what to write instead.
import { UserError } from "./errors.ts";

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** An object with no other fields than these, and with those of them that are `required` (all, if left out). */
export function fields<Name extends string>(
  value: unknown,
  place: string,
  names: readonly Name[],
  required: readonly Name[] = names,
): Record<Name, unknown> {
  if (!isObject(value)) {
    throw new UserError(`${place}: ${show(value)} is not an object, write one with ${names.join(", ")}`);
  }
  const unknown = Object.keys(value).find((name) => !names.some((known) => known === name));
  if (unknown !== undefined) {
    throw new UserError(`${place}: unknown field ${show(unknown)}, write only ${names.join(", ")}`);
  }
  const missing = required.find((name) => !Object.hasOwn(value, name));
  if (missing !== undefined) throw new UserError(`${place}.${missing}: is missing, write it`);
  return value as Record<Name, unknown>;
}

export function list(value: unknown, place: string, length: number): unknown[] {
  if (!Array.isArray(value)) {
    throw new UserError(`${place}: ${show(value)} is not a list, write a list of ${length}`);
  }
  if (value.length !== length) {
    throw new UserError(
      `${place}: has ${value.length} ${value.length === 1 ? "item" : "items"}, write ${length}`,
    );
  }
  return value;
}

export function choice<Choice extends string>(
  value: unknown,
  place: string,
  choices: readonly Choice[],
): Choice {
  const found = choices.find((name) => name === value);
  if (found === undefined) {
    throw new UserError(`${place}: ${show(value)} is not known, write one of ${choices.join(", ")}`);
  }
  return found;
}

export function integer(value: unknown, place: string, from: number, to: number): number {
  if (isInteger(value) && value >= from && value <= to) return value;
  throw new UserError(`${place}: ${show(value)} is not allowed, write ${range(from, to)}`);
}

export function isInteger(value: unknown): value is number {
  return Number.isInteger(value);
}

export function range(from: number, to: number): string {
  return to - from === 1 ? `${from} or ${to}` : `a whole number from ${from} to ${to}`;
}

/** A value as a person wrote it, short enough for a sentence. */
export function show(value: unknown): string {
  const text = (typeof value === "number" ? undefined : JSON.stringify(value)) ?? String(value);
  return text.length > 40 ? `${text.slice(0, 37)}...` : text;
}
