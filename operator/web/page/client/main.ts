// The page's beginning: which view is shown stands after the # of the address.
import { html, render } from "htm/preact";
import { useEffect, useState } from "preact/hooks";
import { List } from "./list.ts";
import { report } from "./report.ts";
import { Search } from "./search.ts";
import { TokenForm, useToken } from "./token.ts";
import { placeOf } from "./use-trials.ts";

/** A report has one search, whatever the address says. */
function placeShown(hash: string): string {
  if (!report) return hash || "#/";
  const own = placeOf(report);
  return hash.startsWith(`${own}/`) ? hash : own;
}

function Page() {
  const [place, setPlace] = useState(location.hash);
  useEffect(() => {
    const look = () => setPlace(location.hash);
    addEventListener("hashchange", look);
    return () => removeEventListener("hashchange", look);
  }, []);
  const { isNeeded, give } = useToken();
  const [, namespace, name, trial] = placeShown(place).split("/").map(decoded);
  useEffect(() => {
    document.title = name ? `${name}: search` : "Searches";
    scrollTo(0, 0);
  }, [namespace, name]);
  if (isNeeded) return html`<${TokenForm} give=${give} />`;
  if (!namespace || !name) return html`<${List} />`;
  const index = trial && /^\d+$/.test(trial) ? Number(trial) : undefined;
  return html`<${Search} key=${`${namespace}/${name}`} namespace=${namespace} name=${name} index=${index} />`;
}

/** What people write there by hand may be anything. */
function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

render(html`<${Page} />`, document.getElementById("page")!);
