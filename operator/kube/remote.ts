// Reads and writes of objects on the API server itself, and what its refusals mean to controllers.
import {
  AdmissionError,
  AlreadyExistsError,
  ConflictError,
  InvalidError,
  type Key,
  type Kind,
  keyOf,
  NotFoundError,
  type Objects,
} from "../api/store.ts";
import { type ApiClient, ApiError, type ApiRequest } from "./client.ts";
import type { Remote } from "./store.ts";

interface Resource {
  apiVersion: string;
  plural: string;
}

/** How the API names the kinds. */
const RESOURCES: Record<Kind, Resource> = {
  ArchitectureSearch: { apiVersion: "segnas.dev/v1alpha1", plural: "architecturesearches" },
  CandidateTrial: { apiVersion: "segnas.dev/v1alpha1", plural: "candidatetrials" },
  SearchRecord: { apiVersion: "segnas.dev/v1alpha1", plural: "searchrecords" },
  Job: { apiVersion: "batch/v1", plural: "jobs" },
  Pod: { apiVersion: "v1", plural: "pods" },
  Event: { apiVersion: "events.k8s.io/v1", plural: "events" },
};

/** The path of a kind's objects, of every namespace where none is given. */
export function collectionPath(kind: Kind, namespace?: string): string {
  const { apiVersion, plural } = RESOURCES[kind];
  const root = apiVersion.includes("/") ? `/apis/${apiVersion}` : `/api/${apiVersion}`;
  return namespace === undefined ? `${root}/${plural}` : `${root}/namespaces/${namespace}/${plural}`;
}

/** An object as the server gave it, as it is kept: items of lists do not tell their kind, and nobody asks who wrote which field. */
export function received<K extends Kind>(kind: K, object: Objects[K]): Objects[K] {
  const { managedFields: _, ...metadata } = object.metadata as Objects[K]["metadata"] & {
    managedFields?: unknown;
  };
  return { ...object, apiVersion: RESOURCES[kind].apiVersion, kind, metadata };
}

/** Of a page of a list. */
const PAGE = 500;

/** What a list has, page by page. */
export async function* listed<T>(
  client: ApiClient,
  path: string,
  query: ApiRequest["query"],
): AsyncGenerator<T[]> {
  let next: string | undefined;
  do {
    const { items, metadata } = await client.request<{ items: T[] | null; metadata?: { continue?: string } }>(
      {
        path,
        query: { ...query, limit: PAGE, ...(next && { continue: next }) },
      },
    );
    // Go writes an empty list as null.
    yield items ?? [];
    next = metadata?.continue;
  } while (next);
}

export function createRemote(client: ApiClient): Remote {
  const path = (kind: Kind, { namespace, name }: Key): string => `${collectionPath(kind, namespace)}/${name}`;

  async function write<K extends Kind>(
    method: "POST" | "PUT",
    where: string,
    object: Objects[K],
    query?: ApiRequest["query"],
  ): Promise<Objects[K]> {
    const kind = object.kind as K;
    try {
      const request = { method, path: where, body: object, ...(query && { query }) };
      return received(kind, await client.request<Objects[K]>(request));
    } catch (error) {
      throw meaning(kind, error);
    }
  }

  return {
    async get<K extends Kind>(kind: K, key: Key) {
      try {
        return received(kind, await client.request<Objects[K]>({ path: path(kind, key) }));
      } catch (error) {
        if (error instanceof ApiError && error.status === 404) return undefined;
        throw error;
      }
    },
    async list<K extends Kind>(kind: K, namespace?: string, labels: Record<string, string> = {}) {
      const labelSelector = Object.entries(labels)
        .map(([label, value]) => `${label}=${value}`)
        .join(",");
      const objects: Objects[K][] = [];
      const query = labelSelector ? { labelSelector } : {};
      for await (const items of listed<Objects[K]>(client, collectionPath(kind, namespace), query))
        objects.push(...items.map((item) => received(kind, item)));
      return objects;
    },
    // People write the pod of a Job: a field that there is none of is a mistake of theirs.
    create: (object) =>
      write(
        "POST",
        collectionPath(object.kind, keyOf(object).namespace),
        object,
        object.kind === "Job" ? { fieldValidation: "Strict" } : undefined,
      ),
    update: (object) => write("PUT", path(object.kind, keyOf(object)), object),
    updateStatus: (object) => write("PUT", `${path(object.kind, keyOf(object))}/status`, object),
    async delete<K extends Kind>(kind: K, key: Key, { uid }: { uid: string }) {
      try {
        const answer = await client.request<Objects[K] | { kind: "Status" }>({
          method: "DELETE",
          path: path(kind, key),
          body: { preconditions: { uid }, propagationPolicy: "Background" },
        });
        return answer.kind === "Status" ? undefined : received(kind, answer as Objects[K]);
      } catch (error) {
        if (error instanceof ApiError && error.status === 404) return undefined;
        throw meaning(kind, error);
      }
    },
  };
}

/** What a refusal means to who wrote; the error itself where it has no meaning of its own. */
function meaning(kind: Kind, error: unknown): unknown {
  if (!(error instanceof ApiError)) return error;
  const { status, reason, message } = error;
  if (status === 409) {
    // A quota that changes at that moment is a Conflict too.
    return reason === "AlreadyExists" ? new AlreadyExistsError(message) : new ConflictError(message);
  }
  if (status === 404) return new NotFoundError(message);
  if (status === 422 || status === 400) return new InvalidError(message);
  // Only people's own Jobs meet with quotas and policies that a condition can tell of.
  if (kind === "Job" && (status === 403 || status === 500)) return new AdmissionError(message);
  return error;
}
