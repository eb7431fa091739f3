// The bearer token, where the server asks for one. It stays in this tab, and goes with it.
import { html } from "htm/preact";
import { useEffect, useState } from "preact/hooks";

const KEY = "segnas-token";
const listeners = new Set<() => void>();

export function authorization(): Record<string, string> {
  const token = sessionStorage.getItem(KEY);
  return token === null ? {} : { authorization: `Bearer ${token}` };
}

/** Called where the server has turned away what it was asked with. */
export function turnedAway(): void {
  for (const listener of listeners) listener();
}

/** Whether a token is needed, and what is to be done with one. */
export function useToken(): { isNeeded: boolean; give: (token: string) => void } {
  const [isNeeded, setNeeded] = useState(false);
  useEffect(() => {
    const listener = () => setNeeded(true);
    listeners.add(listener);
    return () => void listeners.delete(listener);
  }, []);
  const give = (token: string) => {
    sessionStorage.setItem(KEY, token);
    setNeeded(false);
  };
  return { isNeeded, give };
}

export function TokenForm({ give }: { give: (token: string) => void }) {
  const [token, setToken] = useState("");
  const wasRefused = sessionStorage.getItem(KEY) !== null;
  const submit = (event: Event) => {
    event.preventDefault();
    if (token.trim()) give(token.trim());
  };
  return html`<main><h1>Who are you?</h1>
    ${wasRefused && html`<p class="notice" role="alert">The cluster does not know this token, or no longer.</p>`}
    <p>This page shows the searches of those namespaces whose searches you may list. Give a bearer token of the cluster; it stays in this tab. One for a ServiceAccount is made by</p>
    <p><code>kubectl create token SERVICEACCOUNT --namespace NAMESPACE</code></p>
    <form class="filters" onSubmit=${submit}>
      <label>Token <input type="password" autocomplete="off" value=${token} onInput=${(event: Event) => setToken((event.target as HTMLInputElement).value)} /></label>
      <button class="copy">Show the searches</button>
    </form>
  </main>`;
}
