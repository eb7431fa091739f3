// A list of searches: a line each for people, a document each for programs. Pure.
import type { ArchitectureSearch } from "@segnas/operator/api/generated/architecturesearches.ts";
import { percent, real, whole } from "@segnas/operator/web/report-format.ts";
import { standingOf } from "@segnas/operator/web/standing.ts";
import { textTable } from "./table.ts";

/** How many of its trials have ended. */
export const settledOf = ({ status }: ArchitectureSearch): number => {
  const { succeeded = 0, failed = 0, rejected = 0, deleted = 0 } = status?.trials ?? {};
  return succeeded + failed + rejected + deleted;
};

/** Seconds from a time (RFC 3339) on; 0 where there is none. */
export const secondsSince = (time: string | undefined, now: Date): number =>
  Math.max(0, (now.getTime() - Date.parse(time ?? "")) / 1000 || 0);

/** An age as kubectl writes it: 42s, 17m, 5h, 3d. */
export function age(time: string | undefined, now: Date): string {
  const s = secondsSince(time, now);
  if (s < 120) return `${Math.floor(s)}s`;
  if (s < 2 * 3600) return `${Math.floor(s / 60)}m`;
  return s < 48 * 3600 ? `${Math.floor(s / 3600)}h` : `${Math.floor(s / 86400)}d`;
}

/** Seconds in hours. */
export const hours = (seconds: number): string => (seconds / 3600).toFixed(2);

/** A line for each search, the titles first. */
export function listText(
  searches: ArchitectureSearch[],
  { now, namespaces, wide }: { now: Date; namespaces: boolean; wide: boolean },
): string {
  const right = "right" as const;
  const left = "left" as const;
  const columns = [
    ...(namespaces ? [{ title: "Namespace", align: left }] : []),
    { title: "Search", align: left },
    { title: "State", align: left },
    ...["Ended", "Running", "Failed", "Best", "mIoU", "GPU-hours", "Age"].map((title) => ({
      title,
      align: right,
    })),
    ...(wide ? ["Parameters", "Updates"].map((title) => ({ title, align: right })) : []),
    ...(wide ? [{ title: "Best trial", align: left }] : []),
  ];
  const rows = searches.map((search) => {
    const { metadata, spec, status } = search;
    const { best, trials, gpuSeconds = "0", policyUpdates = 0 } = status ?? {};
    return [
      ...(namespaces ? [metadata.namespace ?? "default"] : []),
      metadata.name,
      standingOf(search).state,
      `${whole(settledOf(search))}/${whole(spec.maxTrials)}`,
      whole(trials?.running ?? 0),
      whole(trials?.failed ?? 0),
      best ? real(Number(best.reward)) : "",
      best ? percent(Number(best.meanIoU)) : "",
      hours(Number(gpuSeconds)),
      age(metadata.creationTimestamp, now),
      ...(wide ? [best ? whole(best.parameters) : "", whole(policyUpdates), best?.trial ?? ""] : []),
    ];
  });
  return textTable(columns, rows).join("\n");
}

/** A search of the list, for programs. */
export function listDocument(search: ArchitectureSearch) {
  const { metadata, spec, status } = search;
  return {
    namespace: metadata.namespace ?? "default",
    name: metadata.name,
    ...standingOf(search),
    maxTrials: spec.maxTrials,
    ended: settledOf(search),
    trials: status?.trials,
    best: status?.best,
    gpuSeconds: Number(status?.gpuSeconds ?? 0),
    creationTime: metadata.creationTimestamp,
    startTime: status?.startTime,
    completionTime: status?.completionTime,
  };
}
