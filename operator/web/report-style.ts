// The report's style sheet and its one script: a page that stands alone, in light and dark, on a phone too.

export const STYLE = `
:root { color-scheme: light dark;
  --page: #fff; --panel: #f5f6f8; --ink: #1d2430; --soft: #5a6474; --faint: #d5dae2;
  --point: #5b6f8f; --line: #0b6bcb; --best: #b4530a; --fail: #b3261e; --good: #1a7040; }
@media (prefers-color-scheme: dark) { :root {
  --page: #12161d; --panel: #1b212b; --ink: #e6eaf0; --soft: #a3adbb; --faint: #333c4a;
  --point: #93a7c8; --line: #6cb4ff; --best: #f0a35e; --fail: #ff8f86; --good: #6fd39a; } }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 76rem; padding: 1.25rem 1rem 4rem; background: var(--page); color: var(--ink);
  font: 1rem/1.5 system-ui, sans-serif; }
h1 { margin: 0; font-size: 1.7rem; line-height: 1.2; overflow-wrap: anywhere; }
h2 { margin: 2.5rem 0 .75rem; font-size: 1.25rem; }
h3 { margin: 0; font-size: 1rem; }
p { margin: .5rem 0; max-width: 48rem; }
a { color: var(--line); }
code { font: .85rem/1.4 ui-monospace, monospace; overflow-wrap: anywhere; }
.soft, figcaption, dt { color: var(--soft); font-size: .875rem; }
.title { display: flex; flex-wrap: wrap; gap: .5rem .75rem; align-items: center; }
.state { border: 1px solid currentColor; border-radius: 1rem; padding: 0 .7rem; font-size: .875rem; font-weight: 600; }
.state.Complete { color: var(--good); } .state.Failed { color: var(--fail); } .state.Running { color: var(--line); }
dl { margin: 0; } dd { margin: 0; }
.facts { display: grid; grid-template-columns: repeat(auto-fit, minmax(9.5rem, 1fr)); gap: .75rem; margin: 1.25rem 0 0; }
.facts > div { background: var(--panel); border-radius: .5rem; padding: .6rem .8rem; }
.facts dd { font-size: 1.35rem; font-weight: 600; line-height: 1.25; }
.facts dd small { display: block; font-size: .875rem; font-weight: 400; color: var(--soft); }
.settings { display: grid; grid-template-columns: max-content 1fr; gap: .25rem 1rem; align-items: baseline; margin-top: .4rem; }
.settings dd { overflow-wrap: anywhere; }
details { margin: 1rem 0; } summary { cursor: pointer; }
.charts { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 21rem), 1fr)); gap: 1.5rem; }
figure { margin: 0; } .charts svg { font-size: 13px; width: 100%; max-width: 34rem; height: auto; }
.key { list-style: none; margin: .25rem 0 0; padding: 0; display: flex; flex-wrap: wrap; gap: .1rem 1rem; font-size: .875rem; }
.key svg { width: 1.6rem; height: .8rem; margin-right: .35rem; vertical-align: -.05em; overflow: visible; }
.cards { display: grid; gap: 1rem; grid-template-columns: repeat(auto-fit, minmax(min(100%, 22rem), 1fr)); }
.cards article { background: var(--panel); border-radius: .5rem; padding: .9rem 1rem; min-width: 0; }
.drawing { overflow-x: auto; margin: .6rem 0; } .drawing svg { display: block; max-width: 100%; height: auto; }
.drawing.whole svg { min-width: 30rem; }
.cards article:has(details[open]) { grid-column: 1 / -1; }
.genotype { display: flex; flex-wrap: wrap; gap: .5rem; align-items: start; } .genotype code { flex: 1 1 16rem; }
button { font: inherit; color: inherit; cursor: pointer; }
.copy { border: 1px solid var(--faint); border-radius: .35rem; background: var(--page); padding: .1rem .6rem; font-size: .875rem; }
.pictures { display: grid; grid-template-columns: repeat(3, 1fr); gap: .4rem; margin-bottom: .4rem; }
.pictures img { display: block; width: 100%; height: auto; border-radius: .25rem; }
.legend svg { width: 1rem; height: 1rem; border: 1px solid var(--faint); }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-size: .9rem; font-variant-numeric: tabular-nums; }
th, td { padding: .35rem .6rem; text-align: right; white-space: nowrap; border-bottom: 1px solid var(--faint); }
th { color: var(--soft); font-weight: 600; vertical-align: bottom; }
th button { border: 0; background: none; padding: 0; font-weight: inherit; }
th button::after { content: " \\2195"; opacity: .45; }
[aria-sort=ascending] button::after { content: " \\2191"; opacity: 1; }
[aria-sort=descending] button::after { content: " \\2193"; opacity: 1; }
.text { text-align: left; } td.message { white-space: normal; min-width: 16rem; text-align: left; }
tr.Failed td:nth-child(3), tr.Deleted td:nth-child(3) { color: var(--fail); }
.empty { background: var(--panel); border-radius: .5rem; padding: 1.5rem; }
:focus-visible { outline: 2px solid var(--line); outline-offset: 2px; }
@media print { .copy { display: none; } article { break-inside: avoid; } }
`;

/** Makes columns sortable and genotypes copyable; without it the page loses only that. */
export const SCRIPT = `
for (const button of document.querySelectorAll(".copy")) {
  button.hidden = false;
  button.addEventListener("click", async () => {
    const code = button.parentElement.querySelector("code");
    try { await navigator.clipboard.writeText(code.textContent); button.textContent = "Copied"; }
    catch { getSelection().selectAllChildren(code); button.textContent = "Selected"; }
    setTimeout(() => { button.textContent = "Copy"; }, 2000);
  });
}
for (const table of document.querySelectorAll("table.sortable")) {
  const heads = [...table.tHead.rows[0].cells];
  heads.forEach((head, column) => {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = head.textContent;
    head.replaceChildren(button);
    button.addEventListener("click", () => {
      const descending = head.getAttribute("aria-sort") === "ascending" ||
        (!head.hasAttribute("aria-sort") && head.dataset.first === "descending");
      for (const other of heads) other.removeAttribute("aria-sort");
      head.setAttribute("aria-sort", descending ? "descending" : "ascending");
      const value = (row) => row.cells[column].dataset.value ?? row.cells[column].textContent;
      const rows = [...table.tBodies[0].rows].sort((a, b) => {
        const [x, y] = [value(a), value(b)];
        if (x === "" || y === "") return x === y ? 0 : x === "" ? 1 : -1;
        const order = Number.isNaN(Number(x)) ? x.localeCompare(y, "en", { numeric: true }) : Number(x) - Number(y);
        return descending ? -order : order;
      });
      table.tBodies[0].append(...rows);
    });
  });
}
`;
