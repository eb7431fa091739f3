// Where the page reads searches. Whoever serves it answers from what is at hand: nobody waits for the page.
import type { ArchitectureSearch } from "../../api/generated/architecturesearches.ts";
import type { CandidateTrial } from "../../api/generated/candidatetrials.ts";
import type { Key } from "../../api/store.ts";
import type { RunningTrial } from "../../controllers/candidatetrial/progress.ts";
import type { ToldEvent } from "../../kube/view.ts";
import type { LedgerEntry } from "../../ledger/entry.ts";
import type { PolicyUpdate } from "../../ledger/snapshots.ts";
import type { Elsewhere } from "./elsewhere.ts";

/** What is known of a search at a moment. Shared: nobody changes it. */
export interface PageView {
  search: ArchitectureSearch;
  /** Those that are there: of what has settled, some. */
  trials: readonly CandidateTrial[];
  /** Only ever grows while the search has the same UID. */
  entries: readonly LedgerEntry[];
  policy: readonly PolicyUpdate[];
  running: readonly RunningTrial[];
  /** How many trials can train at a time, where that may be fewer than spec.parallelism. */
  gpus?: number;
  events: readonly ToldEvent[];
  /** Whether something works on it: a search on this machine may lie there while nothing runs it. */
  isLive: boolean;
  /** Why there are fewer entries than the search has, where that is so. */
  problem?: string;
}

export interface PageSource extends Elsewhere {
  searches(): Promise<ArchitectureSearch[]>;
  /** Undefined where there is none of that name. */
  view(key: Key): Promise<PageView | undefined>;
}
