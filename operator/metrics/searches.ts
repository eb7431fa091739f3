// Metrics of searches, for all that the operator works on. Only the leader tells of them: from a standby every series
// would be there twice.
import { UserError } from "@segnas/searchspace/errors.ts";
import { Counter, Gauge, type Registry } from "prom-client";
import type { ArchitectureSearch } from "../api/generated/architecturesearches.ts";
import type { CandidateTrial } from "../api/generated/candidatetrials.ts";
import { idOf, isControlledBy, keyOf, type Reader } from "../api/store.ts";
import type { Knowledge } from "../controllers/architecturesearch/knowledge.ts";
import { isFinished, standsStill } from "../controllers/status.ts";
import { readLedger } from "../ledger/shards.ts";
import { ledgerMetrics } from "./ledger.ts";
import { type Definition, type SearchView, STATUS_METRICS } from "./status.ts";

/** Where searches are read, by who leads. */
export interface SearchSource {
  store: Reader;
  /** What is known of searches that go on, by their namespace and name. */
  knowledge: ReadonlyMap<string, { uid: string; opening: Promise<Pick<Knowledge, "ledger" | "updates">> }>;
}

export interface SearchMetrics {
  /** From now on searches are told of; of none where left out. */
  follow(source?: SearchSource): void;
}

/** Registers the metrics. Their values are those of the moment of the scrape. */
export function searchMetrics(registry: Registry, now: () => Date): SearchMetrics {
  let source: SearchSource | undefined;
  let looking: Promise<SearchView[]> | undefined;
  /** Ledgers are being read, one after the other. */
  let reading: Promise<void> | undefined;
  /** By the UIDs of searches whose ledgers could not be read: the versions that they had then. */
  const unreadable = new Map<string, string | undefined>();
  const settled = ledgerMetrics(registry, async () => void (await look()));
  for (const definition of STATUS_METRICS) register(registry, definition, look);

  /** Once for all metrics of a scrape. */
  function look(): Promise<SearchView[]> {
    looking ??= views().finally(() => setImmediate(() => (looking = undefined)));
    return looking;
  }

  async function views(): Promise<SearchView[]> {
    const searches = source ? await source.store.list("ArchitectureSearch") : [];
    const trials = source ? await source.store.list("CandidateTrial") : [];
    settled.keep(searches);
    forgetAllBut(searches);
    const open = Map.groupBy(trials.filter(isOpen), (trial) =>
      idOf({ ...keyOf(trial), name: trial.spec.search }),
    );
    const seen = await Promise.all(
      searches.map(async (search) => {
        const known = await knowledgeOf(search);
        if (known) settled.observe(search, known.ledger.entries);
        return {
          search,
          open: (open.get(idOf(keyOf(search))) ?? []).filter((trial) => isControlledBy(trial, search)),
          baseline: known?.updates.at(-1)?.baseline,
          now: now(),
        };
      }),
    );
    reading ??= readLedgers(searches.filter(isUncounted)).finally(() => (reading = undefined));
    return seen;
  }

  /** Undefined while its ledger is being read, and after its end. */
  async function knowledgeOf(search: ArchitectureSearch) {
    const known = source?.knowledge.get(idOf(keyOf(search)));
    if (known?.uid !== search.metadata.uid) return undefined;
    // Of two that are settled the first counts.
    return Promise.race([known?.opening, undefined]).catch(() => undefined);
  }

  function forgetAllBut(searches: ArchitectureSearch[]): void {
    const there = new Set(searches.map(({ metadata }) => metadata.uid));
    for (const uid of unreadable.keys()) if (!there.has(uid)) unreadable.delete(uid);
  }

  /**
   * What ended is not kept in memory: its ledger is read, once, and counted from the next scrape on. One that cannot be
   * read is looked at again when its search has changed, be it by an annotation, and not at each scrape.
   */
  async function readLedgers(searches: ArchitectureSearch[]): Promise<void> {
    for (const search of searches) {
      const { uid, resourceVersion } = search.metadata;
      if (!source || (unreadable.has(uid!) && unreadable.get(uid!) === resourceVersion)) continue;
      try {
        settled.observe(search, (await readLedger(source.store, search)).entries);
        unreadable.delete(uid!);
      } catch (error) {
        if (error instanceof UserError) unreadable.set(uid!, resourceVersion);
      }
    }
  }

  const isUncounted = (search: ArchitectureSearch): boolean =>
    (isFinished(search) || standsStill(search)) &&
    (settled.observed(search) ?? -1) < (search.status?.entries ?? 0);

  return {
    follow(next) {
      source = next;
    },
  };
}

const isOpen = ({ status }: CandidateTrial): boolean => !status?.result && status?.entry === undefined;

function register(registry: Registry, definition: Definition, look: () => Promise<SearchView[]>): void {
  const { name, help, type, labels = [], samples } = definition;
  const configuration = { name, help, labelNames: ["namespace", "search", ...labels], registers: [registry] };
  const collect = async (metric: { reset(): void }, put: (labels: object, value: number) => void) => {
    const views = await look();
    metric.reset();
    for (const view of views) {
      const own = { namespace: keyOf(view.search).namespace, search: view.search.metadata.name };
      for (const [value, labels] of samples(view)) put({ ...own, ...labels }, value);
    }
  };
  if (type === "counter")
    new Counter({
      ...configuration,
      collect() {
        return collect(this, (labels, value) => this.inc(labels, value));
      },
    });
  else
    new Gauge({
      ...configuration,
      collect() {
        return collect(this, (labels, value) => this.set(labels, value));
      },
    });
}
