import { parse } from 'csv-parse/sync';
import { bench, describe } from 'vitest';
import { parseCsv } from './csv';

// Why this package has a CSV reader of its own: csv-parse is the best-kept one, and this is what it takes.
const ROWS = 50_000;
const text = `text,category\n${Array.from({ length: ROWS }, (_, i) =>
  i % 3 === 0
    ? `what about line ${i},label_${i % 77}`
    : `"I am, still waiting on my ""card"" number ${i}?",label_${i % 77}`,
).join('\n')}\n`;

describe(`${ROWS} rows, ${(text.length / 1e6).toFixed(1)} MB`, () => {
  bench('parseCsv', () => void parseCsv(text));
  bench('csv-parse', () => void parse(text, { columns: true }));
});
