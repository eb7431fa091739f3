// When a search has come to a halt, for people who follow it.
import type { Standing } from "@segnas/operator/web/standing.ts";

/** A line where a search has come to a halt, or goes on after one. */
export function haltLines(name: string, before: Standing | undefined, now: Standing): string[] {
  const isHalt = ({ state }: Standing) => ["New", "Stalled", "Suspended"].includes(state);
  if (isHalt(now) && (before?.state !== now.state || before.message !== now.message))
    return [`${name} is ${now.state.toLowerCase()}: ${now.message}`];
  const wasHeld = before && before.state !== "New" && isHalt(before);
  return wasHeld && now.state === "Searching" ? [`${name} goes on`] : [];
}
