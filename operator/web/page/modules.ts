// The browser's modules: what client/main.ts imports, and what that imports, with the types taken out. No bundler:
// each module is a file of its own whose name changes with its content, so that browsers may keep it for ever.
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { stripTypeScriptTypes } from "node:module";
import { basename } from "node:path";
import { fileURLToPath } from "node:url";

export interface BrowserModule {
  /** What imports call it: its path on the server. */
  path: string;
  code: string;
}

/** Packages that name no module for browsers. */
const OTHERWISE: Record<string, string> = { uplot: "uplot/dist/uPlot.esm.js" };

const IMPORT = /(\b(?:from|import)\s*)(["'])([^"'\n]+)\2/g;

/**
 * The module at a URL and all that it imports, each after those that it imports, with paths below `root`.
 * @throws Error where one imports what is not there, or itself by way of others
 */
export function browserModules(main: URL, root = "/modules/"): BrowserModule[] {
  const modules = new Map<string, BrowserModule | undefined>();
  function add(url: string): BrowserModule {
    const known = modules.get(url);
    if (known) return known;
    if (modules.has(url)) throw new Error(`${url} imports itself`);
    modules.set(url, undefined);
    const file = fileURLToPath(url);
    const source = readFileSync(file, "utf8").replace(/\n\/\/# sourceMappingURL=.*\s*$/, "\n");
    const code = (file.endsWith(".ts") ? withoutTypes(source) : source).replace(
      IMPORT,
      (_, before: string, quote: string, name: string) =>
        `${before}${quote}${add(resolve(name, url)).path}${quote}`,
    );
    const hash = createHash("sha256").update(code).digest("base64url").slice(0, 12);
    const made = { path: `${root}${basename(file).replace(/\.\w+$/, "")}.${hash}.js`, code };
    // Anew, so that it stands after what it imports.
    modules.delete(url);
    modules.set(url, made);
    return made;
  }
  add(main.href);
  return [...modules.values()] as BrowserModule[];
}

const resolve = (name: string, from: string): string =>
  name.startsWith(".") ? new URL(name, from).href : import.meta.resolve(OTHERWISE[name] ?? name);

/** Node says once a process that the function is new: nothing that people who look at a search must read. */
function withoutTypes(source: string): string {
  const { emitWarning } = process;
  process.emitWarning = () => {};
  try {
    return stripTypeScriptTypes(source);
  } finally {
    process.emitWarning = emitWarning;
  }
}
