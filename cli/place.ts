// Where a command reads searches: in a cluster, or in the folder of one on this machine. Nothing is written there.
import { existsSync } from "node:fs";
import { join, resolve } from "node:path";
import type { ArchitectureSearch } from "@segnas/operator/api/generated/architecturesearches.ts";
import type { Reader } from "@segnas/operator/api/store.ts";
import type { ReadView, ToldEvent } from "@segnas/operator/kube/view.ts";
import type { PolicyUpdate } from "@segnas/operator/ledger/snapshots.ts";
import { eventsOf } from "@segnas/operator/local/events.ts";
import { localTrials } from "@segnas/operator/local/progress.ts";
import { folderReader } from "@segnas/operator/local/source.ts";
import { isLocked, STORE_FILE } from "@segnas/operator/local/store.ts";
import { type Elsewhere, inFolder, quoted } from "@segnas/operator/web/page/elsewhere.ts";
import { UserError } from "@segnas/searchspace/errors.ts";
import { type Command, Option } from "commander";
import { folderName, wrongValue } from "./options.ts";
import { PROGRAM } from "./program.ts";

export interface PlaceOptions {
  state?: string;
  namespace?: string;
  allNamespaces?: boolean;
  context?: string;
  kubeconfig?: string;
}

/** Adds the options that say where a search is: those that kubectl has, and a folder. */
export const placeOptions = (command: Command): Command =>
  command
    .option("-n, --namespace <name>", "the namespace (default: that of the kubeconfig's context)", namespace)
    .option("--context <name>", "a context of the kubeconfig (default: its current one)")
    .option("--kubeconfig <file>", "the kubeconfig (default: KUBECONFIG, or ~/.kube/config)")
    .addOption(
      new Option("--state <folder>", "a search on this machine: the folder that segnas search keeps it in")
        .argParser(folderName("--state"))
        .conflicts(["namespace", "context", "kubeconfig"]),
    );

function namespace(value: string): string {
  if (/^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/.test(value)) return value;
  throw wrongValue("--namespace", value, "the name of a namespace");
}

export interface Place {
  /** In words: "namespace mine". */
  where: string;
  /** Options that lead here again. */
  options: string;
  reader: Reader;
  /** Of all where it is undefined. */
  namespace: string | undefined;
  /**
   * The search of a name; without one, the only one that can be meant. Throws UserError where there is none, or, with a
   * UID, where it is another one by now.
   */
  find(name: string | undefined, uid?: string): Promise<ArchitectureSearch>;
  view(search: ArchitectureSearch): Promise<ReadView>;
  /** What the policy was after its updates, as far as snapshots tell. */
  updates(search: ArchitectureSearch): Promise<PolicyUpdate[]>;
  events(view: ReadView): Promise<ToldEvent[]>;
  elsewhere: Elsewhere;
  /** Whether something works on what is here. */
  isLive(): boolean;
  /** Whether after an error another look may go well. */
  isPassing(error: unknown): boolean;
  /** What went wrong, as a UserError where it was said by who was asked; other errors as they are. */
  inWords(error: unknown): unknown;
}

/** Runs `work` at the place that the options name. Throws UserError where it cannot be reached or read. */
export async function atPlace<T>(options: PlaceOptions, work: (place: Place) => Promise<T>): Promise<T> {
  const place = options.state === undefined ? await inCluster(options) : folderPlace(resolve(options.state));
  try {
    return await work(place);
  } catch (error) {
    throw place.inWords(error);
  }
}

async function inCluster(options: PlaceOptions): Promise<Place> {
  const { clusterPlace } = await import("./cluster.ts"); // the library for kubeconfigs takes a while to load
  try {
    return clusterPlace(options);
  } catch (error) {
    const isMeant = options.kubeconfig !== undefined || options.context !== undefined;
    if (isMeant || !(error instanceof UserError)) throw error;
    throw new UserError(`${error.message}; or give the folder of a search on this machine with --state`);
  }
}

const readers = () => import("@segnas/operator/kube/view.ts");

function folderPlace(folder: string): Place {
  if (!existsSync(join(folder, STORE_FILE)))
    throw new UserError(`${folder}: holds no search; give the folder of one with --state`);
  const reader = folderReader(folder);
  const isLive = () => isLocked(folder);
  return {
    where: folder,
    options: `--state ${quoted(folder)}`,
    reader,
    namespace: undefined,
    async find(name) {
      const [search] = await reader.list("ArchitectureSearch");
      if (search && (name === undefined || search.metadata.name === name)) return search;
      throw new UserError(`${folder} holds ${search ? `the search ${search.metadata.name}` : "no search"}`);
    },
    async view(search) {
      const view = await (await readers()).readView(reader, search, localTrials);
      // What no process runs any more may still stand there as running.
      return isLive() ? view : { ...view, running: [] };
    },
    updates: async (search) => (await readers()).readUpdates(reader, search),
    events: async (view) => eventsOf(view),
    elsewhere: inFolder(folder),
    isLive,
    isPassing: () => false,
    inWords: (error) => error,
  };
}

/** A command line that does something with a search that was found. */
export const commandFor = (command: string, name: string, { options, namespace }: Place): string =>
  `${PROGRAM} ${command} ${namespace === undefined ? "" : `${name} `}${options}`;
