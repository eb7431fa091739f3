// A namespace for one test, under the strictest pod security: operators work on it, and it goes with all that is in
// it when the test ends.
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { setTimeout as wait } from "node:timers/promises";
import type { ArchitectureSearch } from "@segnas/operator/api/generated/architecturesearches.ts";
import type { CandidateTrial } from "@segnas/operator/api/generated/candidatetrials.ts";
import { isControlledBy, type Kind, type Pod, type Store } from "@segnas/operator/api/store.ts";
import { verifySearch } from "@segnas/operator/controllers/architecturesearch/verify.ts";
import { TRIAL_LABEL } from "@segnas/operator/controllers/candidatetrial/job.ts";
import { isTrue } from "@segnas/operator/controllers/status.ts";
import type { LedgerEntry } from "@segnas/operator/ledger/entry.ts";
import { readLedger } from "@segnas/operator/ledger/shards.ts";
import { startPolicy } from "@segnas/operator/policy/client.ts";
import { SMALL_SEARCH } from "../small-search.ts";
import { apply, client, kubectl, remote, standing, TRAINER_IMAGE } from "./cluster.ts";
import { makeAccount, type OperatorProcess, startOperator } from "./operator.ts";
import type { Pretence } from "./pretend-trainer.ts";

const store: Store = { ...remote, live: remote, watch: () => () => {} };
/** As if there were no other search. */
const storeOf = (search: ArchitectureSearch): Store => ({
  ...store,
  list: async (kind, namespace, labels) =>
    (await remote.list(kind, namespace, labels)).filter((object) => isControlledBy(object, search)),
});
const PRETEND = readFileSync(new URL("./pretend-trainer.ts", import.meta.url), "utf8");
/** What the names of tests' namespaces begin with. */
export const E2E = "segnas-e2e-";
/** Longer than anything takes on a machine that is shared. */
const PATIENCE_SECONDS = 120;

export type Space = Awaited<ReturnType<typeof createSpace>>;

export async function createSpace(context: TestContext, labels: Record<string, string> = {}) {
  const { metadata } = await client.request<{ metadata: { name: string } }>({
    method: "POST",
    path: "/api/v1/namespaces",
    body: {
      apiVersion: "v1",
      kind: "Namespace",
      metadata: {
        generateName: E2E,
        labels: { "pod-security.kubernetes.io/enforce": "restricted", "segnas.dev/e2e": "true", ...labels },
      },
    },
  });
  const namespace = metadata.name;
  const folder = mkdtempSync(join(tmpdir(), "segnas-e2e-"));
  const operators: OperatorProcess[] = [];
  let account: Promise<void> | undefined;
  context.after(async () => {
    await Promise.all(operators.map((operator) => operator.stop()));
    await client.request({ method: "DELETE", path: `/api/v1/namespaces/${namespace}` });
    rmSync(folder, { recursive: true });
  });

  /** Resolves with what it gives once that is something; says how things stand where it never comes. */
  async function until<T>(
    what: string,
    look: () => Promise<T | undefined | false>,
    seconds = PATIENCE_SECONDS,
  ): Promise<T> {
    for (const end = Date.now() + seconds * 1000; ; await wait(300)) {
      const found = await look();
      if (found !== undefined && found !== false) return found;
      if (Date.now() < end) continue;
      const logs = operators.flatMap(({ log }) => log.slice(-20));
      throw new Error([`waited in vain for ${what}`, await standing(namespace), ...logs].join("\n"));
    }
  }

  const get = async (name: string): Promise<ArchitectureSearch> => {
    const search = await remote.get("ArchitectureSearch", { namespace, name });
    if (!search) throw new Error(`search ${name} is gone`);
    return search;
  };
  const trial = (name: string) => remote.get("CandidateTrial", { namespace, name });
  /** Where a trial's attempt, the last one where left out, trains. */
  const podOf = async (name: string): Promise<Pod | undefined> =>
    (await remote.list("Pod", namespace, { [TRIAL_LABEL]: name })).find(
      ({ metadata, status }) => status?.phase === "Running" && !metadata.deletionTimestamp,
    );

  return {
    ...{ namespace, operators, until, get, trial, podOf },

    async operator(identity?: string): Promise<OperatorProcess> {
      account ??= makeAccount(namespace);
      await account;
      const operator = await startOperator(namespace, folder, identity);
      operators.push(operator);
      return operator;
    },
    apply: (...manifests: object[]) => apply(namespace, ...manifests),
    kubectl: (...args: string[]) => kubectl([...args, "-n", namespace]),
    /** Changes fields of a search's spec. */
    change: (name: string, spec: object) =>
      kubectl([
        "patch",
        "architecturesearch",
        name,
        "-n",
        namespace,
        "--type=merge",
        "-p",
        JSON.stringify({ spec }),
      ]),
    list: <K extends Kind>(kind: K) => remote.list(kind, namespace),
    /** A search's, in the order of their numbers. */
    trials: async (search: string): Promise<CandidateTrial[]> =>
      (await remote.list("CandidateTrial", namespace))
        .filter(({ spec }) => spec.search === search)
        .sort((a, b) => a.spec.index - b.spec.index),
    entries: async (name: string): Promise<LedgerEntry[]> =>
      (await readLedger(store, await get(name))).entries,
    /** What does not agree among ledger, weights, samples, trials and status. */
    findings: async (name: string): Promise<string[]> =>
      (await verifySearch(storeOf(await get(name)), await get(name), startPolicy)).findings,
    /** Until the search has this condition, for its spec as it is now. */
    condition: (name: string, type: string, seconds?: number): Promise<ArchitectureSearch> =>
      until(
        `${name} to be ${type}`,
        async () => {
          const search = await get(name);
          const { metadata, status } = search;
          const seen = status?.observedGeneration === metadata.generation;
          return seen && isTrue(status?.conditions, type) && search;
        },
        seconds,
      ),
    /** Until the trials train. */
    training: (...names: string[]) =>
      until(`${names.join(", ")} to train`, async () => {
        const trials = await Promise.all(names.map(trial));
        return trials.every((one) => {
          const attempt = one?.status?.attempts?.at(-1);
          return attempt?.startTime && !attempt.endTime;
        });
      }),
    /** Lets trials end that are held, in whatever order they come to train. */
    async release(...names: string[]): Promise<void> {
      await Promise.all(
        names.map((name) =>
          until(`${name} to be released`, async () => {
            const pod = await podOf(name);
            const path = `/api/v1/namespaces/${namespace}/pods/${pod?.metadata.name}:9090/proxy/release`;
            return (
              pod &&
              client.text({ path }).then(
                () => true,
                // It does not listen yet.
                () => undefined,
              )
            );
          }),
        ),
      );
    },
  };
}

/** A search whose trials only pretend to train, with fields of spec, pod and container put in place. */
export function pretendSearch(
  name: string,
  spec: object,
  pretence: Pretence = {},
  { pod, container }: { pod?: object; container?: object } = {},
) {
  return {
    apiVersion: "segnas.dev/v1alpha1",
    kind: "ArchitectureSearch",
    metadata: { name },
    spec: {
      ...SMALL_SEARCH,
      trialTemplate: {
        spec: {
          terminationGracePeriodSeconds: 3,
          ...pod,
          containers: [
            {
              name: "trainer",
              image: TRAINER_IMAGE,
              command: ["node", "--input-type=module-typescript", "--eval", PRETEND],
              env: [{ name: "PRETEND", value: JSON.stringify(pretence) }],
              resources: { requests: { cpu: "10m", memory: "64Mi" }, limits: { memory: "256Mi" } },
              ...container,
            },
          ],
        },
      },
      ...spec,
    },
  };
}

/** What a ledger says whatever the clock says. */
export const timeless = (entries: LedgerEntry[]) =>
  entries.map((entry) => ({ ...entry, gpuSeconds: 0, stages: [] }));
