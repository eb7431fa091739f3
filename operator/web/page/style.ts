// The page's style sheet: in light and dark, on a phone and on paper too.
export const STYLE = `
:root { color-scheme: light dark;
  --page: #fff; --panel: #f5f6f8; --ink: #1d2430; --soft: #5a6474; --faint: #d5dae2;
  --point: #5b6f8f; --line: #0b6bcb; --best: #b4530a; --fail: #b3261e; --good: #1a7040; --done: #5b8f73;
  --several-0: #0b6bcb; --several-1: #b4530a; --several-2: #1a7040; --several-3: #8a3ab9; --several-4: #b3261e; --several-5: #5b6470; }
@media (prefers-color-scheme: dark) { :root {
  --page: #12161d; --panel: #1b212b; --ink: #e6eaf0; --soft: #a3adbb; --faint: #333c4a;
  --point: #93a7c8; --line: #6cb4ff; --best: #f0a35e; --fail: #ff8f86; --good: #6fd39a; --done: #4f8f6d;
  --several-0: #6cb4ff; --several-1: #f0a35e; --several-2: #6fd39a; --several-3: #cf9bf2; --several-4: #ff8f86; --several-5: #b4bdc9; } }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 76rem; padding: 1rem 1rem 4rem; background: var(--page); color: var(--ink);
  font: 1rem/1.5 system-ui, sans-serif; }
h1 { margin: 0; font-size: 1.7rem; line-height: 1.2; overflow-wrap: anywhere; }
h2 { margin: 2.5rem 0 .75rem; font-size: 1.25rem; }
h3 { margin: 0; font-size: 1rem; overflow-wrap: anywhere; }
p { margin: .5rem 0; max-width: 48rem; overflow-wrap: anywhere; }
a { color: var(--line); }
code { font: .85rem/1.4 ui-monospace, monospace; overflow-wrap: anywhere; }
.soft, figcaption, dt { color: var(--soft); font-size: .875rem; }
.title { display: flex; flex-wrap: wrap; gap: .5rem .75rem; align-items: center; }
.state { border: 1px solid currentColor; border-radius: 1rem; padding: 0 .7rem; font-size: .875rem; font-weight: 600; white-space: nowrap; }
dl { margin: 0; } dd { margin: 0; }
.facts { display: grid; grid-template-columns: repeat(auto-fit, minmax(9.5rem, 1fr)); gap: .75rem; margin: 1.25rem 0 0; }
.facts > div { background: var(--panel); border-radius: .5rem; padding: .6rem .8rem; }
.facts dd { font-size: 1.2rem; font-weight: 600; line-height: 1.25; overflow-wrap: anywhere; }
.facts dd small { display: block; font-size: .875rem; font-weight: 400; color: var(--soft); }
.settings { display: grid; grid-template-columns: max-content 1fr; gap: .25rem 1rem; align-items: baseline; margin-top: .4rem; }
.settings dd { overflow-wrap: anywhere; }
details { margin: 1rem 0; } summary { cursor: pointer; }
.charts { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 28rem), 1fr)); gap: 1.5rem; }
figure { margin: 0; } figure h3 { margin-bottom: .25rem; font-size: .95rem; } figcaption { font-size: .8rem; }
.key { list-style: none; margin: .25rem 0 0; padding: 0; display: flex; flex-wrap: wrap; gap: .1rem 1rem; font-size: .875rem; }
.key svg { width: 1.6rem; height: .8rem; margin-right: .35rem; vertical-align: -.05em; overflow: visible; }
.cards { display: grid; gap: 1rem; grid-template-columns: repeat(auto-fit, minmax(min(100%, 22rem), 1fr)); }
.cards article { background: var(--panel); border-radius: .5rem; padding: .9rem 1rem; min-width: 0; }
.drawing { overflow-x: auto; margin: .6rem 0; } .drawing svg { display: block; max-width: 100%; height: auto; }
.drawing.whole svg { min-width: 30rem; }
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
.text { text-align: left; }
.empty { background: var(--panel); border-radius: .5rem; padding: 1.5rem; }
:focus-visible { outline: 2px solid var(--line); outline-offset: 2px; }
@media print { .copy { display: none; } article { break-inside: avoid; } }
main > h1 { margin-bottom: 1rem; }
nav { font-size: .875rem; margin-bottom: .25rem; overflow-wrap: anywhere; }
.unseen { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
.notice { border-left: .25rem solid var(--fail); background: var(--panel); padding: .5rem .8rem; border-radius: .25rem; }
.state.Complete { color: var(--good); } .state.Failed { color: var(--fail); }
.state.Searching { color: var(--line); } .state.Stalled, .state.WaitingForPods { color: var(--fail); } .state.Suspended, .state.Stopping, .state.Stopped, .state.New { color: var(--soft); }
.bar { display: flex; height: .5rem; border-radius: .25rem; overflow: hidden; background: var(--faint); }
.bar i { display: block; min-width: 2px; } .bar .done { background: var(--done); } .bar .lost { background: var(--fail); }
.bar .now { background: var(--line); }
.progress { max-width: none; margin: .75rem 0 0; }
.searches small { display: block; } .searches td:first-child input { width: 1.1rem; height: 1.1rem; }
.searches td { vertical-align: middle; } .searches .bar { width: 10rem; }
.charts > *, .chart { min-width: 0; }
.chart .uplot { font: inherit; width: 100%; }
.read-out { margin: .1rem 0 0; font-size: .8rem; font-variant-numeric: tabular-nums; min-height: 1.5em; }
.chart .u-select { background: color-mix(in srgb, var(--line) 18%, transparent); }
.chart .u-cursor-x { border-color: var(--soft); }
.filters { display: flex; flex-wrap: wrap; gap: .5rem .9rem; align-items: end; margin-bottom: .25rem; }
.filters label { font-size: .875rem; color: var(--soft); }
.filters input:not([type=checkbox]) { display: block; font: inherit; color: var(--ink); background: var(--page); border: 1px solid var(--faint); border-radius: .35rem; padding: .3rem .5rem; width: 11rem; max-width: 100%; }
.filters input[type=password] { width: 24rem; } .filters .copy { padding: .3rem .9rem; }
.filters input[type=number] { width: 8rem; }
.filters fieldset { border: 0; margin: 0; padding: 0; display: flex; flex-wrap: wrap; gap: .4rem; min-width: 0; }
.chip { display: inline-flex; gap: .35rem; align-items: center; border: 1px solid var(--faint); border-radius: 1rem; padding: .2rem .7rem; cursor: pointer; color: var(--ink) !important; }
.chip:has(:checked) { border-color: var(--line); background: color-mix(in srgb, var(--line) 12%, transparent); }
.chip:has(:focus-visible) { outline: 2px solid var(--line); outline-offset: 2px; }
.trials { max-height: min(38rem, 80vh); overflow: auto; border: 1px solid var(--faint); border-radius: .5rem; }
.trials table { table-layout: fixed; min-width: 76rem; border-collapse: separate; border-spacing: 0; }
.trials thead th { position: sticky; top: 0; background: var(--page); z-index: 1; }
.trials tbody tr { height: 34px; } .trials td { padding-block: 0; overflow: hidden; text-overflow: ellipsis; }
.trials th:nth-child(n+3) { width: 7.5rem; } .trials th:nth-child(2) { width: 8.5rem; } .trials th:nth-child(5) { width: 9.5rem; }
.trials tr > :first-child { width: 10rem; position: sticky; left: 0; background: var(--page); } .trials thead tr > :first-child { z-index: 2; }
.trials th.words { width: 18rem; }
.trials .gap td { padding: 0; border: 0; } .trials .gap { height: auto; }
.trials .open td { background: color-mix(in srgb, var(--line) 12%, transparent); }
.trials tr.Failed td:nth-child(2) { color: var(--fail); }
.none { padding: 1rem; }
.link { border: 0; background: none; padding: 0; color: var(--line); text-decoration: underline; text-align: left; overflow-wrap: anywhere; }
th button { color: inherit; font-size: inherit; }
.running { list-style: none; margin: 0; padding: 0; display: grid; gap: .75rem; grid-template-columns: repeat(auto-fill, minmax(min(100%, 18rem), 1fr)); }
.running li { background: var(--panel); border-radius: .5rem; padding: .6rem .8rem; min-width: 0; } .running p { margin: 0; font-variant-numeric: tabular-nums; }
.who { display: flex; flex-wrap: wrap; gap: .15rem .6rem; align-items: baseline; } .who .soft { margin-left: auto; }
progress { display: block; width: 100%; height: .4rem; margin: .35rem 0; appearance: none; border: 0; border-radius: .2rem; background: var(--faint); overflow: hidden; }
progress::-webkit-progress-bar { background: var(--faint); } progress::-webkit-progress-value { background: var(--line); } progress::-moz-progress-bar { background: var(--line); }
.curve { display: block; width: 100%; height: 36px; margin: .25rem 0; }
.waiting { max-width: none; overflow-wrap: anywhere; }
.failures, .events { list-style: none; margin: 0; padding: 0; } .failures li { padding: .3rem 0; border-bottom: 1px solid var(--faint); overflow-wrap: anywhere; }
.events li { display: grid; grid-template-columns: 8.5rem 1fr; gap: .2rem .75rem; padding: .25rem 0; overflow-wrap: anywhere; } .events .Warning { color: var(--fail); }
.commands { margin: .25rem 0 .75rem; display: grid; gap: .3rem; } .commands > div { display: flex; flex-wrap: wrap; gap: .1rem .75rem; align-items: baseline; } .commands dt { min-width: 11rem; } .commands dd { flex: 1 1 16rem; min-width: 0; }
.commands code, .genotype code { background: var(--panel); border-radius: .25rem; padding: .1rem .35rem; } article .genotype code { background: none; padding: 0; }
.copy { flex: none; }
.pictures { max-width: 46rem; }
section > h3, dialog h3 { margin: 1.25rem 0 .4rem; }
dialog { border: 1px solid var(--faint); border-radius: .6rem; padding: 0; width: min(58rem, calc(100vw - 1.5rem)); max-height: calc(100dvh - 1.5rem); background: var(--page); color: var(--ink); }
dialog::backdrop { background: rgb(0 0 0 / .45); } .inside { padding: 1rem 1.25rem 1.5rem; } dialog h2 { margin: 0 0 .5rem; overflow-wrap: anywhere; } .close { float: right; }
@media (max-width: 40rem) { .facts { grid-template-columns: repeat(2, 1fr); gap: .5rem; } .facts dd { font-size: 1.05rem; }
  .filters label:not(.chip), .filters input:not([type=checkbox]) { width: 100%; } .settings { grid-template-columns: 1fr; } .settings dd { margin-bottom: .5rem; } .events li { grid-template-columns: 1fr; } .inside { padding: .75rem .9rem 1.25rem; }
  .searches thead { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
  .searches tbody tr { display: flex; flex-wrap: wrap; gap: .25rem 1.25rem; align-items: center; padding: .7rem 0; border-bottom: 1px solid var(--faint); }
  .searches td { border: 0; padding: 0; } .searches td:empty { display: none; } .searches .ended { width: 100%; } .searches .bar { width: 100%; } .searches .name { flex: 1; min-width: 8rem; white-space: normal; overflow-wrap: anywhere; }
  .searches td[data-label]::before { content: attr(data-label) " "; color: var(--soft); font-size: .875rem; } }
`;
