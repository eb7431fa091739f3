// What controllers read and write: objects as the Kubernetes API keeps them. Behind it stands a folder on one
// machine (local/store.ts) or an API server; controllers cannot tell which.

import type { LedgerShard } from "../ledger/shards.ts";
import type { SnapshotChunk, SnapshotManifest } from "../ledger/snapshots.ts";
import type { ArchitectureSearch } from "./generated/architecturesearches.ts";
import type { CandidateTrial } from "./generated/candidatetrials.ts";
import type { ObjectMeta } from "./meta.ts";

/** A piece of a search's ledger (ledger/shards.ts) or snapshots (ledger/snapshots.ts). Made by the operator only. */
export interface SearchRecord {
  apiVersion: "segnas.dev/v1alpha1";
  kind: "SearchRecord";
  metadata: ObjectMeta;
  /** One of the three. */
  spec: {
    /** The search's name. */
    search: string;
    shard?: LedgerShard;
    snapshot?: SnapshotManifest;
    chunk?: SnapshotChunk;
  };
}

export interface Objects {
  ArchitectureSearch: ArchitectureSearch;
  CandidateTrial: CandidateTrial;
  SearchRecord: SearchRecord;
  Job: Job;
  Pod: Pod;
  Event: Event;
}
export type Kind = keyof Objects;
/** An object of kind K; of any kind where K is left out. */
export type KubernetesObject<K extends Kind = Kind> = Objects[K];

export interface Key {
  namespace: string;
  name: string;
}

export interface WatchEvent<K extends Kind> {
  type: "ADDED" | "MODIFIED" | "DELETED";
  object: Objects[K];
}

/** Objects that are read are shared: nobody changes them. */
export interface Reader {
  get<K extends Kind>(kind: K, key: Key): Promise<Objects[K] | undefined>;
  /** In the order of names; of every namespace where none is given. With labels, only objects that have them all. */
  list<K extends Kind>(kind: K, namespace?: string, labels?: Record<string, string>): Promise<Objects[K][]>;
}

/**
 * What it reads may be older than what is there, but never older than what was read or written here before; two
 * kinds may be of different times.
 */
export interface Store extends Reader {
  /** Reads what is there now. Dear in a cluster. */
  readonly live: Reader;
  /** Gives uid, resourceVersion, creationTimestamp and generation 1. A status is left out. Throws AlreadyExistsError, InvalidError and AdmissionError. */
  create<K extends Kind>(object: Objects[K]): Promise<Objects[K]>;
  /** Writes metadata and spec; generation counts changes of spec. Throws ConflictError and NotFoundError. */
  update<K extends Kind>(object: Objects[K]): Promise<Objects[K]>;
  /** Writes status only. Throws ConflictError and NotFoundError. */
  updateStatus<K extends Kind>(object: Objects[K]): Promise<Objects[K]>;
  /**
   * Deletes the object and what it owns; nothing where it is gone. Throws ConflictError where its UID is another.
   * Returns what is left of it where somebody holds it (finalizers).
   */
  delete<K extends Kind>(kind: K, key: Key, precondition: { uid: string }): Promise<Objects[K] | undefined>;
  /** Calls the listener after each change from now on, in order. Returns what ends it. */
  watch<K extends Kind>(kind: K, listener: (event: WatchEvent<K>) => void): () => void;
}

/** The object changed since it was read: read it again and decide again. */
export class ConflictError extends Error {
  override readonly name = "ConflictError";
}

/** An object of that kind and name is there. */
export class AlreadyExistsError extends Error {
  override readonly name = "AlreadyExistsError";
}

/** The API refuses the object (422), and says in a sentence what is wrong with it. */
export class InvalidError extends Error {
  override readonly name = "InvalidError";
}

/** The object is not let in for now, and the API says why: a quota, a policy, a webhook that is down. */
export class AdmissionError extends Error {
  override readonly name = "AdmissionError";
}

/** The object that was to be written is gone. */
export class NotFoundError extends Error {
  override readonly name = "NotFoundError";
}

/** Whether a resourceVersion comes after another: the API server's, of one kind, are numbers that grow. */
export const isLaterVersion = (a = "", b = ""): boolean =>
  a.length === b.length ? a > b : a.length > b.length;

/** Whether `a` is a later version of an object than `b`. */
export const isLater = (a: KubernetesObject, b: KubernetesObject): boolean =>
  isLaterVersion(a.metadata.resourceVersion, b.metadata.resourceVersion);

/** A key as one word, such as maps are kept by. */
export const idOf = ({ namespace, name }: Key): string => `${namespace}/${name}`;

/** The key of an object. */
export const keyOf = ({ metadata }: KubernetesObject): Key => ({
  namespace: metadata.namespace ?? "default",
  name: metadata.name,
});

/** Whether an object has all these labels. */
export const hasLabels = (
  { metadata }: { metadata: Pick<KubernetesObject["metadata"], "labels"> },
  labels: Record<string, string>,
): boolean => Object.entries(labels).every(([label, value]) => metadata.labels?.[label] === value);

/** Whether an object says that this owner controls it. */
export const isControlledBy = (object: KubernetesObject, owner: KubernetesObject): boolean =>
  object.metadata.ownerReferences?.some(({ controller, uid }) => controller && uid === owner.metadata.uid) ??
  false;

/** The reference that makes an object belong to its controller and go with it. */
export const controllerReference = (owner: KubernetesObject) => ({
  apiVersion: owner.apiVersion,
  kind: owner.kind,
  name: owner.metadata.name,
  uid: owner.metadata.uid!,
  controller: true,
  blockOwnerDeletion: true,
});

// Kubernetes' own Job (batch/v1), Pod (v1) and Event (events.k8s.io/v1), as far as segnas writes and reads them.

export interface EnvVar {
  name: string;
  value?: string;
  [field: string]: unknown;
}

/** A quantity such as "4Gi", "500m" or 1. */
export type Quantity = string | number;

export interface Container {
  name: string;
  image?: string;
  env?: EnvVar[];
  resources?: { limits?: Record<string, Quantity>; requests?: Record<string, Quantity> };
  [field: string]: unknown;
}

export interface PodSpec {
  initContainers?: Container[];
  containers: Container[];
  /** From when it has come to a machine. */
  activeDeadlineSeconds?: number;
  [field: string]: unknown;
}

export interface JobSpec {
  backoffLimit: number;
  podReplacementPolicy: "Failed" | "TerminatingOrFailed";
  podFailurePolicy: {
    rules: (
      | {
          action: "FailJob";
          onExitCodes: { containerName: string; operator: "In" | "NotIn"; values: number[] };
        }
      | { action: "FailJob"; onPodConditions: { type: string; status: "True" }[] }
    )[];
  };
  /** True: it has no pod. A queue, such as Kueue, sets it and takes it back. */
  suspend?: boolean;
  template: {
    metadata: { labels?: Record<string, string>; annotations?: Record<string, string> };
    spec: PodSpec;
  };
}

interface StatusCondition {
  type: string;
  status: "True" | "False" | "Unknown";
  reason?: string;
  message?: string;
}

export interface Job {
  apiVersion: "batch/v1";
  kind: "Job";
  metadata: ObjectMeta;
  spec: JobSpec;
  status?: {
    /** When its controller took it up; anew after each suspension. */
    startTime?: string;
    completionTime?: string;
    conditions?: StatusCondition[];
  };
}

export interface ContainerStateTerminated {
  exitCode: number;
  signal?: number;
  /** Completed, Error, OOMKilled ... */
  reason?: string;
  /** What the container wrote to its termination message file, or the end of its log. */
  message?: string;
  startedAt?: string;
  finishedAt?: string;
}

export interface ContainerStatus {
  name: string;
  /** The runtime's own name for it: <runtime>://<id>. */
  containerID?: string;
  state: {
    waiting?: { reason?: string; message?: string };
    running?: { startedAt?: string };
    terminated?: ContainerStateTerminated;
  };
}

export interface Pod {
  apiVersion: "v1";
  kind: "Pod";
  metadata: ObjectMeta;
  spec: PodSpec;
  status?: {
    phase: "Pending" | "Running" | "Succeeded" | "Failed" | "Unknown";
    /** Why the pod as a whole failed: Evicted, NodeLost ... */
    reason?: string;
    message?: string;
    podIP?: string;
    conditions?: StatusCondition[];
    initContainerStatuses?: ContainerStatus[];
    containerStatuses?: ContainerStatus[];
  };
}

/** Why a Job has no pod stands in its events only. */
export interface Event {
  apiVersion: "events.k8s.io/v1";
  kind: "Event";
  metadata: ObjectMeta;
  /** Read only: it keeps the Event in line with the other kinds. */
  spec?: undefined;
  regarding: { kind: string; namespace?: string; name: string; uid?: string };
  /** FailedCreate ...: one word. */
  reason: string;
  note?: string;
  eventTime?: string | null;
  series?: { count: number; lastObservedTime: string };
  /** As the older API wrote it. */
  deprecatedLastTimestamp?: string | null;
}

/** When an event was last told of (RFC 3339), as either API writes it. */
export const lastTold = ({ series, deprecatedLastTimestamp, eventTime, metadata }: Event): string =>
  series?.lastObservedTime ?? deprecatedLastTimestamp ?? eventTime ?? metadata.creationTimestamp ?? "";
