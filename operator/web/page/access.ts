// Who may see what: a bearer token is shown to the API server (TokenReview), and what its owner may do is asked of it
// (SubjectAccessReview). Verdicts are kept for a moment.
import { createHash } from "node:crypto";
import { UserError } from "@segnas/searchspace/errors.ts";
import type { ApiClient } from "../../kube/client.ts";

/** Somebody whose token is good. */
export interface Viewer {
  /** Whether they may list the searches of a namespace. */
  may(namespace: string): Promise<boolean>;
}

export interface Access {
  /** Undefined where the token is none, or not good. Throws where the API server cannot be asked, or UserError: not now. */
  viewer(authorization: string | undefined): Promise<Viewer | undefined>;
}

interface User {
  username?: string;
  uid?: string;
  groups?: string[];
  extra?: Record<string, string[]>;
}

/** How long verdicts hold: whoever loses a right sees for no longer what they saw. */
const VERDICT_MS = 30_000;
/** Verdicts that are kept. */
const MOST = 2_000;
/**
 * Tokens that are shown to the API server at a time: whoever tries out many must not take from the operator what it is
 * allowed to ask.
 */
const MOST_REVIEWS = 8;

export function createAccess(client: ApiClient, now: () => number = () => performance.now()): Access {
  const users = keep<User | undefined>(now);
  const verdicts = keep<boolean>(now);
  let reviews = 0;

  async function review(token: string): Promise<User | undefined> {
    if (reviews === MOST_REVIEWS) throw new UserError("Too many tokens are being looked at: try again.");
    reviews++;
    try {
      return await owner(token);
    } finally {
      reviews--;
    }
  }

  /** Undefined where the token is not good. */
  async function owner(token: string): Promise<User | undefined> {
    const { status } = await client.request<{ status?: { authenticated?: boolean; user?: User } }>({
      method: "POST",
      path: "/apis/authentication.k8s.io/v1/tokenreviews",
      body: { apiVersion: "authentication.k8s.io/v1", kind: "TokenReview", spec: { token } },
    });
    return status?.authenticated === true ? (status.user ?? {}) : undefined;
  }

  /** @param namespace all where it is empty */
  async function mayList({ username, ...user }: User, namespace: string): Promise<boolean> {
    const { status } = await client.request<{ status?: { allowed?: boolean } }>({
      method: "POST",
      path: "/apis/authorization.k8s.io/v1/subjectaccessreviews",
      body: {
        apiVersion: "authorization.k8s.io/v1",
        kind: "SubjectAccessReview",
        spec: {
          ...user,
          user: username,
          resourceAttributes: {
            group: "segnas.dev",
            resource: "architecturesearches",
            verb: "list",
            namespace,
          },
        },
      },
    });
    return status?.allowed === true;
  }

  return {
    async viewer(authorization) {
      const token = /^Bearer +([\w.~+/=-]+)$/i.exec(authorization ?? "")?.[1];
      if (token === undefined) return undefined;
      // Tokens themselves are kept nowhere.
      const id = createHash("sha256").update(token).digest("base64");
      const user = await users(id, () => review(token));
      if (!user) return undefined;
      const may = (namespace: string) => verdicts(`${id} ${namespace}`, () => mayList(user, namespace));
      return { may: async (namespace) => (await may("")) || (await may(namespace)) };
    },
  };
}

/** Asks once for what is asked for many times. Nothing is kept of a failure. */
function keep<T>(now: () => number) {
  const known = new Map<string, { verdict: Promise<T>; until: number }>();
  return (id: string, ask: () => Promise<T>): Promise<T> => {
    const before = known.get(id);
    if (before && before.until > now()) return before.verdict;
    known.delete(id);
    const verdict = ask();
    known.set(id, { verdict, until: now() + VERDICT_MS });
    verdict.catch(() => known.get(id)?.verdict === verdict && known.delete(id));
    // The oldest first.
    if (known.size > MOST) known.delete(known.keys().next().value!);
    return verdict;
  };
}
