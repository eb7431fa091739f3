// Searches in short, by what stands in their objects: what the page and the program list. Pure.
import type { ArchitectureSearch } from "../../api/generated/architecturesearches.ts";
import { keyOf } from "../../api/store.ts";
import { standingOf } from "../standing.ts";
import { outcomesInWords } from "../summary.ts";
import type { ListedSearch } from "./documents.ts";

/** A search in short. Of one that nothing works on no trial trains, whatever stands in its objects. */
export function listed(search: ArchitectureSearch, isLive = true): ListedSearch {
  const { metadata, spec, status } = search;
  const {
    pending: waiting = 0,
    running: training = 0,
    succeeded = 0,
    failed = 0,
    rejected = 0,
  } = status?.trials ?? {};
  const { deleted = 0, reused = 0, stopped = 0 } = status?.trials ?? {};
  const [running, pending] = isLive ? [training, waiting] : [0, waiting + training];
  const { best } = status ?? {};
  const { creationTimestamp } = metadata;
  return {
    ...keyOf(search),
    uid: metadata.uid!,
    ...standingOf(search, isLive),
    maxTrials: spec.maxTrials,
    ended: succeeded + failed + rejected + deleted,
    counts: { pending, running, succeeded, failed, rejected, deleted, reused, stopped },
    outcomes: outcomesInWords({ succeeded, failed, rejected, deleted }),
    ...(best && { best: { ...best, reward: Number(best.reward), meanIoU: Number(best.meanIoU) } }),
    gpuSeconds: Number(status?.gpuSeconds ?? 0),
    ...(creationTimestamp && { createdAt: creationTimestamp }),
    ...(status?.startTime && { startedAt: status.startTime }),
    ...(status?.completionTime && { endedAt: status.completionTime }),
  };
}
