// Global set-up of the tests of packages/kernels: when a run of all of them on the software GPU ends, the table of largest
// errors in packages/kernels/README.md becomes what the run has recorded in reports/errors.
import { readFile, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const BACKENDS = ['cpu', 'wasm', 'webgpu'];
const START = '<!-- largest errors: begin -->';
const END = '<!-- largest errors: end -->';

const kernels = join(dirname(fileURLToPath(import.meta.url)), '..', '..', 'packages', 'kernels');
const readme = join(kernels, 'README.md');
const folder = join(kernels, 'reports', 'errors');

/** Rounded up to one digit, so that the table changes when an error does and not when a digit does. */
function rounded(error) {
  if (error === 0) return 'exact';
  const scale = 10 ** Math.floor(Math.log10(error));
  return (Math.ceil((error / scale) * (1 - 1e-12)) * scale).toExponential(0);
}

async function readRecords() {
  const files = (await readdir(folder).catch(() => [])).filter((name) => name.endsWith('.json'));
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

async function writeTable() {
  const table = tableOf(await readRecords());
  const text = await readFile(readme, 'utf8');
  const [from, to] = [text.indexOf(START), text.indexOf(END)];
  if (from < 0 || to < from) throw new Error(`${readme} lacks the lines ${START} and ${END}`);
  const updated = `${text.slice(0, from + START.length)}\n\n${table}\n\n${text.slice(to)}`;
  if (updated === text) return;
  await writeFile(`${readme}.new`, updated);
  await rename(`${readme}.new`, readme);
  console.log(
    `packages/kernels/README.md: the table of largest errors has changed, ${table.split('\n').length - 2} rows`,
  );
}

/** Whether the run was of all tests and all passed: a run of some has not seen every op. */
async function wasWhole(project) {
  const { testFiles } = await project.globTestFiles();
  const { state, config } = project.vitest;
  return (
    config.testNamePattern === undefined &&
    state.getFiles().length === testFiles.length &&
    state.getCountOfFailedTests() === 0
  );
}

export default async function setup(project) {
  await rm(folder, { recursive: true, force: true });
  return async () => {
    if (process.env.QLORA_SOFTWARE_GPU === '1' && (await wasWhole(project))) await writeTable();
  };
}
