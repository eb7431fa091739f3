// What the browser is given besides data: one page, one style sheet, and modules.
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { browserModules } from "./modules.ts";
import { STYLE } from "./style.ts";

export interface Asset {
  type: string;
  body: string;
  /** Whether it is another path where it is another content. */
  isForEver: boolean;
}

/** By path. Reads the modules, which takes a moment. */
export function readAssets(): Map<string, Asset> {
  const modules = browserModules(new URL("client/main.ts", import.meta.url));
  return new Map([
    [
      "/",
      { type: "text/html; charset=utf-8", body: page(modules.map(({ path }) => path)), isForEver: false },
    ],
    ["/page.css", { type: "text/css; charset=utf-8", body: style(), isForEver: false }],
    ["/icon.svg", { type: "image/svg+xml", body: ICON, isForEver: false }],
    ...modules.map(({ path, code }): [string, Asset] => [
      path,
      { type: "text/javascript; charset=utf-8", body: code, isForEver: true },
    ]),
  ]);
}

/** The style sheet. */
export const style = (): string =>
  readFileSync(fileURLToPath(import.meta.resolve("uplot/dist/uPlot.min.css")), "utf8") + STYLE;

/** The last module is the one that begins; the others are named so that none is waited for. */
const page = (modules: string[]): string => `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>Searches</title>
<link rel="icon" href="/icon.svg" type="image/svg+xml">
<link rel="stylesheet" href="/page.css">
${modules.map((path) => `<link rel="modulepreload" href="${path}">`).join("\n")}
<script type="module" src="${modules.at(-1)}"></script>
</head>
<body>
<noscript>This page needs JavaScript. Without it: kubectl segnas status, or kubectl segnas report NAME -o csv.</noscript>
<div id="page"></div>
</body>
</html>
`;

const ICON = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32"><rect width="32" height="32" rx="7" fill="#0b6bcb"/><path d="M5 25 13 15l5 4 9-12" fill="none" stroke="#fff" stroke-width="3.2" stroke-linecap="round" stroke-linejoin="round"/><circle cx="27" cy="7" r="3" fill="#f0a35e"/></svg>`;
