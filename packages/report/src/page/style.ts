/** The page's one style sheet. Colours keep a contrast of 4.5 to 1 on their paper in both themes; charts use the same ones. */
export const STYLE = `
:root {
  color-scheme: light dark;
  --paper: #ffffff; --panel: #f6f7f9; --ink: #1a2330; --soft: #4c5868; --line: #d8dde4; --muted: #5f6b7a;
  --c1: #1f5fa8; --c2: #b4450b; --c3: #3b7a2b; --good: #1d6b36; --bad: #a3261c;
}
@media (prefers-color-scheme: dark) {
  :root {
    --paper: #12161c; --panel: #1a2029; --ink: #e7ebf0; --soft: #b3bdc9; --line: #313a46; --muted: #97a3b2;
    --c1: #7ab3f0; --c2: #f2a065; --c3: #8fce7c; --good: #86d39b; --bad: #ff9d94;
  }
}
* { box-sizing: border-box; }
html { scroll-behavior: smooth; }
@media (prefers-reduced-motion: reduce) { html { scroll-behavior: auto; } }
body {
  margin: 0; background: var(--paper); color: var(--ink);
  font: 16px/1.55 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", "DejaVu Sans", sans-serif;
}
main, header, footer { max-width: 1180px; margin: 0 auto; padding: 0 24px; }
header { padding-top: 40px; }
h1 { font-size: 30px; line-height: 1.2; margin: 0 0 6px; letter-spacing: -0.01em; overflow-wrap: anywhere; }
h2 { font-size: 21px; margin: 0 0 14px; padding-top: 26px; border-top: 1px solid var(--line); }
h3 { font-size: 15px; margin: 0 0 6px; color: var(--ink); }
p { margin: 0 0 12px; max-width: 76ch; }
.soft { color: var(--soft); }
.state { display: inline-block; padding: 1px 10px; border: 1px solid currentColor; border-radius: 999px; font-size: 13px; font-weight: 600; }
.state.finished { color: var(--good); } .state.failed { color: var(--bad); }
nav { margin: 14px 0 22px; font-size: 14px; display: flex; flex-wrap: wrap; gap: 4px 16px; }
a { color: var(--c1); } a:focus-visible, summary:focus-visible, [tabindex]:focus-visible { outline: 2px solid var(--c1); outline-offset: 2px; }
.tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(150px, 1fr)); gap: 12px; margin: 0 0 22px; padding: 0; }
.tile { background: var(--panel); border-radius: 10px; padding: 12px 14px; margin: 0; }
.tile dt { font-size: 13px; color: var(--soft); }
.tile dd { margin: 0; font-size: 22px; font-weight: 650; font-variant-numeric: tabular-nums; letter-spacing: -0.01em; }
.tile dd small { display: block; font-size: 12px; font-weight: 400; color: var(--soft); letter-spacing: 0; }
.notes { border-left: 4px solid var(--c2); background: var(--panel); padding: 10px 16px; margin: 0 0 22px; border-radius: 0 8px 8px 0; }
.notes ul { margin: 0; padding-left: 18px; }
section { padding-bottom: 26px; }
.grid { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 460px), 1fr)); gap: 26px 34px; align-items: start; }
.grid.small { grid-template-columns: repeat(auto-fit, minmax(min(100%, 280px), 1fr)); }
figure { margin: 0 0 20px; min-width: 0; }
.grid figure { margin: 0; }
.grid.small { margin-top: 26px; }
figure svg { display: block; width: 100%; height: auto; overflow: visible; }
figure svg text { white-space: pre; }
.wide { overflow-x: auto; }
.wide svg { width: auto; max-width: none; }
figcaption { font-size: 13px; color: var(--soft); margin-top: 4px; }
details { margin-top: 6px; font-size: 14px; }
summary { cursor: pointer; color: var(--soft); font-size: 13px; width: fit-content; padding: 3px 0; }
.scroll { overflow: auto; max-height: 340px; border: 1px solid var(--line); border-radius: 8px; margin-top: 6px; }
.scroll.whole { max-height: none; }
table { border-collapse: collapse; width: 100%; font-size: 14px; font-variant-numeric: tabular-nums; }
caption { text-align: left; font-size: 13px; color: var(--soft); padding: 6px 10px; }
th, td { text-align: left; padding: 5px 10px; border-bottom: 1px solid var(--line); vertical-align: top; }
tr:last-child > * { border-bottom: 0; }
thead th { position: sticky; top: 0; background: var(--panel); font-weight: 600; font-size: 13px; }
td.n, th.n { text-align: right; white-space: nowrap; }
td.t { min-width: 220px; overflow-wrap: anywhere; }
tbody th { font-weight: 500; overflow-wrap: anywhere; }
.cards { columns: 3 300px; column-gap: 16px; }
.card { break-inside: avoid; margin-bottom: 16px; background: var(--panel); border-radius: 10px; padding: 12px 16px; min-width: 0; }
.card dl { display: grid; grid-template-columns: auto 1fr; gap: 3px 14px; margin: 0; font-size: 14px; }
.card dt { color: var(--soft); } .card dd { margin: 0; overflow-wrap: anywhere; font-variant-numeric: tabular-nums; }
pre { background: var(--panel); border-radius: 8px; padding: 12px 14px; overflow-x: auto; font-size: 13px; line-height: 1.5; margin: 6px 0 16px; }
code { font-family: ui-monospace, SFMono-Regular, Menlo, "DejaVu Sans Mono", monospace; }
blockquote { margin: 2px 0 0; padding-left: 10px; border-left: 2px solid var(--line); color: var(--soft); font-size: 13px; overflow-wrap: anywhere; }
footer { padding-top: 16px; padding-bottom: 40px; font-size: 13px; color: var(--soft); border-top: 1px solid var(--line); }
@media (max-width: 620px) {
  main, header, footer { padding-left: 16px; padding-right: 16px; }
  h1 { font-size: 24px; } .tile dd { font-size: 20px; }
  figure > .plot { overflow-x: auto; } figure > .plot svg { min-width: 480px; }
}
@media print {
  :root { --paper: #fff; --panel: #f4f4f4; --ink: #000; --soft: #333; --line: #bbb; --muted: #555; --c1: #1f5fa8; --c2: #b4450b; --c3: #3b7a2b; --good: #1d6b36; --bad: #a3261c; }
  nav, details:not([open]) { display: none; }
  body { font-size: 11pt; } main, header, footer { max-width: none; padding-left: 0; padding-right: 0; }
  figure, .tile, .card, tr { break-inside: avoid; } h2, h3 { break-after: avoid; }
  .scroll, .wide { overflow: visible; max-height: none; border: 0; } .wide svg { width: 100%; }
}
`;
