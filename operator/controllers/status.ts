// What both controllers read from and write into status.
import { SearchCondition } from "../api/conditions.ts";
import type { ArchitectureSearch } from "../api/generated/architecturesearches.ts";
import type { Condition } from "../api/meta.ts";

/** RFC 3339, to the second, as Kubernetes writes times. */
export const timestamp = (time: Date): string => time.toISOString().replace(/\.\d+Z$/, "Z");

export const isTrue = (conditions: Condition[] | undefined, type: string): boolean =>
  conditions?.some((condition) => condition.type === type && condition.status === "True") ?? false;

/** Whether a search has ended, with or without an answer. */
export const isFinished = ({ status }: ArchitectureSearch): boolean =>
  isTrue(status?.conditions, SearchCondition.Complete) || isTrue(status?.conditions, SearchCondition.Failed);

/** A real number as the API holds it. */
export const decimal = (value: number): string => String(value);
