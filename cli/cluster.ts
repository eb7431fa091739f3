// A cluster as the place where searches are, chosen as kubectl chooses it, and what it answers in words.
import type { ArchitectureSearch } from "@segnas/operator/api/generated/architecturesearches.ts";
import { type ApiClient, ApiError, createClient } from "@segnas/operator/kube/client.ts";
import { loadKubeConfig } from "@segnas/operator/kube/kubeconfig.ts";
import { createRemote } from "@segnas/operator/kube/remote.ts";
import { progressThrough, readEvents, readUpdates, readView } from "@segnas/operator/kube/view.ts";
import { inCluster } from "@segnas/operator/web/page/elsewhere.ts";
import { UserError } from "@segnas/searchspace/errors.ts";
import type { Place, PlaceOptions } from "./place.ts";

/** There was no answer. */
class NoAnswerError extends Error {
  override readonly name = "NoAnswerError";
}

/** The cluster that the options name; nothing is asked of it yet. Throws UserError where they name none. */
export function clusterPlace({ kubeconfig, context, ...options }: PlaceOptions): Place {
  if (kubeconfig !== undefined) process.env.KUBECONFIG = kubeconfig;
  const config = loadKubeConfig(context);
  const { server } = config.getCurrentCluster()!;
  const client = answering(
    createClient(config),
    (why) =>
      `${server} cannot be reached (${why}): is the cluster up, and ${config.getCurrentContext()} the right context?`,
  );
  const namespace = options.allNamespaces ? undefined : (options.namespace ?? client.namespace);
  const reader = createRemote(client);
  const progressOf = progressThrough(client);
  const given = Object.entries({ kubeconfig, context, namespace }).filter(([, value]) => value !== undefined);
  const place: Place = {
    where: namespace === undefined ? "the cluster" : `namespace ${namespace}`,
    options: given.map(([name, value]) => `${name === "namespace" ? "-n" : `--${name}`} ${value}`).join(" "),
    reader,
    namespace,
    find: (name, uid) => find(place, name, uid),
    view: (search) => readView(reader, search, progressOf),
    updates: (search) => readUpdates(reader, search),
    events: (view) => readEvents(client, view),
    elsewhere: inCluster({
      none: "Its pictures and curve lie on the artifacts volume that the search's trialTemplate mounts; the operator's page shows them where it sees that volume.",
    }),
    isLive: () => true,
    isPassing: (error) =>
      error instanceof NoAnswerError ||
      (error instanceof ApiError && (error.status === 429 || error.status >= 500)),
    inWords(error) {
      if (error instanceof ApiError) return new UserError(refusalInWords(server, error));
      return error instanceof NoAnswerError ? new UserError(error.message) : error;
    },
  };
  return place;
}

/** The client, which throws NoAnswerError where it gets no answer. */
function answering(client: ApiClient, inWords: (why: string) => string): ApiClient {
  const answered = <T>(answer: Promise<T>): Promise<T> =>
    answer.catch((error: NodeJS.ErrnoException) => {
      if (error instanceof ApiError || ["AbortError", "TimeoutError"].includes(error.name)) throw error;
      throw new NoAnswerError(inWords(error.code ?? error.message));
    });
  return {
    ...client,
    request: <T>(request: Parameters<ApiClient["request"]>[0]) => answered(client.request<T>(request)),
    text: (request) => answered(client.text(request)),
  };
}

async function find(
  { reader, namespace, where }: Place,
  name: string | undefined,
  uid: string | undefined,
): Promise<ArchitectureSearch> {
  if (name === undefined || namespace === undefined) throw new UserError("write the search's name");
  const search = await reader.get("ArchitectureSearch", { namespace, name });
  if (search && (uid === undefined || search.metadata.uid === uid)) return search;
  if (uid !== undefined) throw new UserError(`${name} was deleted`);
  const here = await reader.list("ArchitectureSearch", namespace);
  if (here.length > 0) {
    const names = here.map(({ metadata }) => metadata.name).join(", ");
    throw new UserError(`there is no search ${name} in ${where}; those there are ${names}`);
  }
  // Not everybody may look into every namespace.
  const all = await reader.list("ArchitectureSearch").catch(() => []);
  const elsewhere = all.map(({ metadata }) => `${metadata.name} (-n ${metadata.namespace})`).join(", ");
  throw new UserError(
    `there is no search ${name} in ${where}, nor any other${elsewhere && `; elsewhere there are ${elsewhere}`}`,
  );
}

const FORBIDDEN =
  /User "(?<user>[^"]+)" cannot (?<verb>\w+) resource "(?<resource>[^"]+)".*?(?: in the namespace "(?<namespace>[^"]+)"|at the cluster scope)/;

/** What the API server's no means to who asked. */
function refusalInWords(server: string, { status, message }: ApiError): string {
  if (status === 401)
    return `${server} does not know who you are (401): log in to it, or name another --context`;
  if (status === 404)
    return `segnas is not installed in this cluster (${server} has no such kind): helm install segnas charts/segnas`;
  const { user, verb, resource, namespace } = FORBIDDEN.exec(message)?.groups ?? {};
  if (status !== 403 || !user) return `${server}: ${message}`;
  return namespace
    ? `${user} may not ${verb} ${resource} in namespace ${namespace}: ask for the role view there`
    : `${user} may not ${verb} ${resource} in all namespaces: name one with -n`;
}
