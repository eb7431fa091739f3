// How two specs differ, for people.
import { isDeepStrictEqual } from "node:util";
import { isObject } from "@segnas/searchspace/fields.ts";

/** The first field in which two values differ, in words; undefined where they are equal. */
export function difference(before: unknown, after: unknown, path: string): string | undefined {
  if (isDeepStrictEqual(before, after)) return undefined;
  if (isObject(before) && isObject(after)) {
    for (const field of Object.keys({ ...before, ...after })) {
      const found = difference(before[field], after[field], `${path}.${field}`);
      if (found) return found;
    }
  }
  const now = after === undefined ? "is absent" : `is ${JSON.stringify(after)}`;
  return `${path} ${now}, but ${before === undefined ? "absent" : JSON.stringify(before)}`;
}
