// What searches are worked on with, in tests and benchmarks: all but the store and the policies as usual.
import type { Store } from "@segnas/operator/api/store.ts";
import type { SearchDependencies } from "@segnas/operator/controllers/architecturesearch/reconcile.ts";
import { cacheTrials } from "@segnas/operator/controllers/trials.ts";
import { createLogger } from "winston";

export const searchDependencies = (
  store: Store,
  fields: Pick<SearchDependencies, "startPolicy"> & Partial<SearchDependencies>,
): SearchDependencies => ({
  ...{ store, logger: createLogger({ silent: true }), now: () => new Date(), holder: "one" },
  ...{ trials: cacheTrials(store), knowledge: new Map(), keepFinished: false, held: new Set() },
  ...fields,
});
