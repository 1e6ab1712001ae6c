#!/usr/bin/env node
// Writes the table of largest errors into packages/kernels/README.md, from what the last test run left in reports/errors.
// usage: node tools/errors/table.mjs
import { readFile, readdir, rename, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const BACKENDS = ['cpu', 'wasm', 'webgpu'];
const START = '<!-- largest errors: begin -->';
const END = '<!-- largest errors: end -->';

const kernels = join(dirname(fileURLToPath(import.meta.url)), '..', '..', 'packages', 'kernels');
const readme = join(kernels, 'README.md');

/** Rounded up to one digit, so that the table changes when an error does and not when a digit does. */
function rounded(error) {
  if (error === 0) return 'exact';
  const scale = 10 ** Math.floor(Math.log10(error));
  return (Math.ceil((error / scale) * (1 - 1e-12)) * scale).toExponential(0);
}

async function readRecords() {
  const folder = join(kernels, 'reports', 'errors');
  const files = (await readdir(folder).catch(() => [])).filter((name) => name.endsWith('.json'));
  if (files.length === 0) throw new Error(`${folder} holds no records: run the tests of packages/kernels first`);
  return (await Promise.all(files.map(async (name) => JSON.parse(await readFile(join(folder, name), 'utf8'))))).flat();
}

/** One row an op and measure; several files may have recorded the same op. */
function tableOf(records) {
  const rows = new Map();
  for (const { op, backend, measure, largest, tolerance } of records) {
    const key = `${op}\n${measure}`;
    const row = rows.get(key) ?? { op, measure, errors: {}, tolerance: 0 };
    row.errors[backend] = Math.max(largest, row.errors[backend] ?? 0);
    row.tolerance = Math.max(tolerance, row.tolerance);
    rows.set(key, row);
  }
  const body = [...rows.values()]
    .sort((a, b) => (a.op < b.op ? -1 : a.op > b.op ? 1 : a.measure < b.measure ? -1 : 1))
    .map(({ op, measure, errors, tolerance }) => {
      const cells = BACKENDS.map((backend) => (backend in errors ? rounded(errors[backend]) : ''));
      return [op, measure, ...cells, rounded(tolerance)];
    });
  return aligned([['op', 'error', ...BACKENDS, 'allowed'], ...body]);
}

/** A Markdown table with columns of even width, as the formatter leaves it. */
function aligned([head, ...body]) {
  const widths = head.map((_, column) => Math.max(3, ...[head, ...body].map((row) => row[column].length)));
  const line = (cells, fill) => `| ${cells.map((cell, i) => cell.padEnd(widths[i], fill)).join(' | ')} |`;
  const rule = head.map(() => '');
  return [line(head, ' '), line(rule, '-'), ...body.map((row) => line(row, ' '))].join('\n');
}

const table = tableOf(await readRecords());
const text = await readFile(readme, 'utf8');
const [from, to] = [text.indexOf(START), text.indexOf(END)];
if (from < 0 || to < from) throw new Error(`${readme} lacks the lines ${START} and ${END}`);
const updated = `${text.slice(0, from + START.length)}\n\n${table}\n\n${text.slice(to)}`;
if (updated !== text) {
  await writeFile(`${readme}.new`, updated);
  await rename(`${readme}.new`, readme);
}
console.log(`${table.split('\n').length - 2} rows in packages/kernels/README.md`);
