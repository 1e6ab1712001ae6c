import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { runReadmeExample } from '../../../tools/test/readme';

const read = (path: string): string => readFileSync(new URL(path, import.meta.url), 'utf8');

describe('README', () => {
  it('has an example that runs', async () => {
    expect(await runReadmeExample(import.meta.url)).toEqual([
      '[[264,259,265],[264,261,259]]',
      '[[1,1,0],[1,1,1]]',
      'lost my card',
      '["lost","Ġmy","Ġcard"]',
      '["vocab.json","merges.txt","tokenizer_config.json","special_tokens_map.json"]',
    ]);
  });

  it('quotes the figures of bench/results.json', () => {
    const readme = read('../README.md');
    const { machine, rounds, results } = JSON.parse(read('../bench/results.json')) as {
      machine: { node: string };
      rounds: number;
      results: { what: string; cache: string; oursMs: number; peerMs: number; ratio: number }[];
    };
    expect(readme).toContain(machine.node);
    expect(readme).toContain(`${rounds} rounds`);
    for (const { what, cache, oursMs, peerMs, ratio } of results) {
      const row = [what, cache, `${oursMs} ms`, `${peerMs} ms`, String(ratio)].map(
        (cell) => ` *${cell.replace(/[.()]/g, '\\$&')} *`,
      );
      expect(readme).toMatch(new RegExp(`\\|${row.join('\\|')}`));
    }
  });
});
