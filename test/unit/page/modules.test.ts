// What the browser is given: modules without types that import only each other.
import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { pathToFileURL } from "node:url";
import { readAssets } from "@segnas/operator/web/page/assets.ts";
import { browserModules } from "@segnas/operator/web/page/modules.ts";

const folder = mkdtempSync(join(tmpdir(), "segnas-modules-"));
after(() => rmSync(folder, { recursive: true, force: true }));
const write = (name: string, text: string): URL => {
  writeFileSync(join(folder, name), text);
  return pathToFileURL(join(folder, name));
};

test("types go, imports lead to what is served, and what is imported comes first", () => {
  write("b.ts", "export const b: number = 1;\n");
  const main = write(
    "a.ts",
    'import { b } from "./b.ts";\nimport type { C } from "./none.ts";\nexport const a: C = b;\n',
  );
  const [b, a] = browserModules(main);
  assert.match(b!.path, /^\/modules\/b\.[\w-]{12}\.js$/);
  assert.match(b!.code, /^export const b {9}= 1;$/m);
  assert.equal(a!.code.match(/from "(.*)"/)?.[1], b!.path);
  assert.doesNotMatch(a!.code, /none/);
});

test("another content is another path, also for who imports it", () => {
  const main = write("main.ts", 'import "./part.ts";\n');
  const paths = (text: string) => {
    write("part.ts", text);
    return browserModules(main).map(({ path }) => path);
  };
  const first = paths("export const part = 1;\n");
  assert.deepEqual(paths("export const part = 1;\n"), first);
  for (const [i, path] of paths("export const part = 2;\n").entries()) assert.notEqual(path, first[i]);
});

test("modules that import each other are refused", () => {
  write("x.ts", 'import "./y.ts";\n');
  assert.throws(() => browserModules(write("y.ts", 'import "./x.ts";\n')), /y\.ts imports itself/);
});

test("the page names each of its modules, and begins with the last", () => {
  const assets = readAssets();
  const page = assets.get("/")!.body;
  const modules = [...assets.keys()].filter((path) => path.startsWith("/modules/"));
  assert.deepEqual(
    [...page.matchAll(/modulepreload" href="([^"]+)"/g)].map(([, path]) => path),
    modules,
  );
  assert.ok(page.includes(`<script type="module" src="${modules.at(-1)}">`));
  assert.match(modules.at(-1)!, /main/);
  // What the policy for content would not let through.
  assert.doesNotMatch(page, /<style|style=|<script>|https?:/);
});
