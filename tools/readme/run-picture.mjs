#!/usr/bin/env node
// Draws what a command has printed as an SVG, for the README's picture of a run.
// usage: npm start 2>&1 | node tools/readme/run-picture.mjs OUTPUT.svg
//        tmux capture-pane -p | node tools/readme/run-picture.mjs --screen OUTPUT.svg      a terminal as it stands
import { writeFileSync } from 'node:fs';

const screen = process.argv.includes('--screen');
const [output] = process.argv.slice(2).filter((word) => word !== '--screen');
if (output === undefined) {
  console.error('usage: COMMAND | node tools/readme/run-picture.mjs OUTPUT.svg');
  process.exit(2);
}

/** Sections to show, and how many of a section's last lines. */
const SECTIONS = new Map([
  ['Data', 8],
  ['Search', 8],
  ['Final training', 8],
  ['Test', 4],
  ['Saving', 3],
  ['Comparison', 7],
]);
const COLUMNS = 116;
const LINE = 17;
const CHARACTER = 7.23;
const MARGIN = 14;

let text = '';
for await (const chunk of process.stdin) text += chunk;
// Progress bars rewrite their line: what stands after the last carriage return is what is seen.
const lines = text
  .replaceAll(/\u001b\[[0-9;?]*[A-Za-z]/g, '')
  .split('\n')
  .map((line) => line.split('\r').filter(Boolean).at(-1) ?? '');

const shown = screen ? text.trimEnd().split('\n') : ['$ npm start'];
for (const [title, count] of screen ? [] : SECTIONS) {
  const start = lines.findIndex((line) => line.startsWith(`== ${title}`));
  if (start < 0) throw new Error(`the output has no section '${title}'`);
  const rest = lines.slice(start + 1);
  const end = rest.findIndex((line) => line.startsWith('== '));
  const body = (end < 0 ? rest : rest.slice(0, end)).filter((line) => line.trim() !== '');
  shown.push('', lines[start].replace(/=+$/, '').trimEnd(), ...body.slice(-count));
}

const escaped = (line) => line.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
const cut = (line) => (line.length > COLUMNS ? `${line.slice(0, COLUMNS - 1)}…` : line);
const width = Math.ceil(COLUMNS * CHARACTER + 2 * MARGIN);
const height = shown.length * LINE + 2 * MARGIN;
const rows = shown.map((line, i) => {
  const colour = /^(== |\$|trials: |\S.* {2}█)/.test(line) ? ' fill="#7fd1b9"' : '';
  return `<text x="${MARGIN}" y="${MARGIN + (i + 0.8) * LINE}"${colour} xml:space="preserve">${escaped(cut(line))}</text>`;
});
writeFileSync(
  output,
  `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height.toFixed(0)}" font-family="ui-monospace, Menlo, Consolas, monospace" font-size="12" fill="#d8dee9">
<title>${screen ? 'A terminal while npm start trains' : 'The end of each section that npm start prints'}</title>
<rect width="100%" height="100%" rx="6" fill="#1e2430"/>
${rows.join('\n')}
</svg>
`,
);
