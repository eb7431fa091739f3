// Asks the server again and again, for as long as somebody looks.
import { useEffect, useState } from "preact/hooks";
import { report } from "./report.ts";
import { authorization, turnedAway } from "./token.ts";

/** Between an answer and the next question. */
const PAUSE_MS = 2000;
const LONGEST_PAUSE_MS = 15_000;
/** For an answer. */
const PATIENCE_MS = 20_000;

/** How the server's clock stands to the browser's, in milliseconds. */
let clock = 0;
/** What the time is, by the server's clock; in a report, when it was written. */
export const serverNow = (): Date => new Date(report ? report.written : Date.now() + clock);

/** What went wrong, in words. */
export type Failure = string;

/**
 * Asks for a document until it is told to stop, and not while the page is hidden. `path` is called before each question;
 * `told` after each answer that is another than the one before, `failed` with undefined once all is well again.
 */
export function follow<T>(
  path: () => string,
  told: (document: T) => void,
  failed: (failure: Failure | undefined) => void,
): () => void {
  const ended = new AbortController();
  const { signal } = ended;
  let seen: { path: string; tag: string } | undefined;
  let failures = 0;

  async function ask(): Promise<void> {
    const asked = path();
    const headers = { ...authorization(), ...(seen?.path === asked && { "if-none-match": seen.tag }) };
    const patience = AbortSignal.any([signal, AbortSignal.timeout(PATIENCE_MS)]);
    const response = await fetch(asked, { headers, signal: patience, cache: "no-store" }).catch(() => {
      throw new Error("Nothing answers here: the page that segnas search serves ends with it.");
    });
    const date = Date.parse(response.headers.get("date") ?? "");
    if (date) clock = date - Date.now();
    if (response.status === 304) return;
    if (response.status === 401) turnedAway();
    const document = await response.json();
    if (!response.ok) throw new Error(document.message);
    seen = { path: asked, tag: response.headers.get("etag") ?? "" };
    told(document);
  }

  async function readReport(): Promise<void> {
    await undefined; // Who asks does not expect an answer at once.
    if (signal.aborted) return;
    const document = report!.documents[path()];
    if (document) told(document as T);
    else failed("The report does not have this: the page of the search, or its folder, does.");
  }

  async function askOn(): Promise<void> {
    while (!signal.aborted) {
      try {
        await shown(signal);
        await ask();
        failures = 0;
        failed(undefined);
      } catch (error) {
        if (signal.aborted) return;
        failures++;
        failed((error as Error).message);
      }
      await pause(Math.min(PAUSE_MS * 2 ** failures, LONGEST_PAUSE_MS), signal);
    }
  }
  if (report) readReport();
  else askOn();
  return () => ended.abort();
}

/** Resolves once somebody can see the page. */
const shown = (signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    if (!document.hidden) return resolve();
    const look = () => {
      if (document.hidden) return;
      document.removeEventListener("visibilitychange", look);
      resolve();
    };
    document.addEventListener("visibilitychange", look, { signal });
  });

const pause = (milliseconds: number, signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    const timer = setTimeout(resolve, milliseconds);
    signal.addEventListener("abort", () => {
      clearTimeout(timer);
      resolve();
    });
  });

/** A document as it is at the moment, asked for until the component goes. */
export function useDocument<T>(path: string): { document?: T; failure?: Failure } {
  const [state, setState] = useState<{ path: string; document?: T; failure?: Failure }>({ path });
  useEffect(
    () =>
      follow<T>(
        () => path,
        (document) => setState({ path, document }),
        // Anew each time: ages go on where nothing else does.
        (failure) =>
          setState(({ failure: _, ...before }) =>
            failure === undefined ? before : { ...before, path, failure },
          ),
      ),
    [path],
  );
  return state.path === path ? state : {};
}

/** A document that does not change. */
export function useOnce<T>(path: string): { document?: T; failure?: Failure } {
  const [state, setState] = useState<{ document?: T; failure?: Failure }>({});
  useEffect(() => {
    setState({});
    const stop = follow<T>(
      () => path,
      (document) => {
        setState({ document });
        stop();
      },
      (failure) => failure !== undefined && setState({ failure }),
    );
    return stop;
  }, [path]);
  return state;
}
