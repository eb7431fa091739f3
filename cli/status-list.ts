// A list of searches for people, a line each. Pure.
import type { ArchitectureSearch } from "@segnas/operator/api/generated/architecturesearches.ts";
import { percent, real, whole } from "@segnas/operator/web/format.ts";
import { listed } from "@segnas/operator/web/page/list.ts";
import { textTable } from "./table.ts";

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
    const { namespace, name, state, ended, maxTrials, counts, best, gpuSeconds, createdAt } = listed(search);
    const updates = search.status?.policyUpdates ?? 0;
    return [
      ...(namespaces ? [namespace] : []),
      name,
      state,
      `${whole(ended)}/${whole(maxTrials)}`,
      whole(counts.running),
      whole(counts.failed),
      best ? real(best.reward) : "",
      best ? percent(best.meanIoU) : "",
      hours(gpuSeconds),
      age(createdAt, now),
      ...(wide ? [best ? whole(best.parameters) : "", whole(updates), best?.trial ?? ""] : []),
    ];
  });
  return textTable(columns, rows).join("\n");
}
