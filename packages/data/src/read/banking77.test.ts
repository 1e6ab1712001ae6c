import { describe, expect, it } from 'vitest';
import { besideFixtures } from '../../../../tools/test/fixtures';
import { openFolder } from '../node/open-folder';
import { loadBanking77, type TextFiles } from './banking77';

const banking77 = besideFixtures('banking77');

function inMemory(contents: Record<string, string>): TextFiles {
  return { has: (path) => path in contents, text: async (path) => contents[path]! };
}

const small = {
  'categories.json': '["top_up","age_limit"]',
  'train.csv': 'text,category\nHow old must I be?,age_limit\n"Top up, please",top_up\n',
  'test.csv': 'text,category\nMay a child have a card?,age_limit\n',
};

describe('loadBanking77', () => {
  it.skipIf(banking77 === undefined)(
    'reads the real data: 10,003 and 3,080 rows, 77 labels in the order of categories.json',
    async () => {
      const { train, test, labelMap } = await loadBanking77(openFolder(banking77!));
      expect([train.numRows, test.numRows, labelMap.size]).toEqual([10_003, 3_080, 77]);
      expect(labelMap.names.slice(0, 3)).toEqual(['card_arrival', 'card_linking', 'exchange_rate']);
      expect(train.row(0)).toEqual({ text: 'I am still waiting on my card?', label: 'card_arrival' });
      expect(new Set(test.column('label')).size).toBe(77);
      expect(train.filter(({ text }) => text.includes('\n')).numRows).toBeGreaterThan(0);
    },
  );

  it('calls the category label and follows the order of categories.json', async () => {
    const { train, labelMap } = await loadBanking77(inMemory(small));
    expect(train.toRows()).toEqual([
      { text: 'How old must I be?', label: 'age_limit' },
      { text: 'Top up, please', label: 'top_up' },
    ]);
    expect(labelMap.label2id).toEqual({ top_up: 0, age_limit: 1 });
  });

  it('reads .jsonl where there is no .csv', async () => {
    const { 'test.csv': _, ...rest } = small;
    const { test } = await loadBanking77(inMemory({ ...rest, 'test.jsonl': '{"text":"x","category":"top_up"}' }));
    expect(test.row(0)).toEqual({ text: 'x', label: 'top_up' });
  });

  it.each([
    [{ 'train.csv': undefined }, /no train\.csv; it needs categories\.json and train and test/],
    [{ 'categories.json': undefined }, /no categories\.json/],
    [{ 'categories.json': '{"a":0}' }, /must hold an array of label names/],
    [{ 'categories.json': '["top_up"' }, /^categories\.json: not JSON/],
    [{ 'categories.json': '["top_up","top_up"]' }, /"top_up" is there twice/],
    [{ 'test.csv': 'text,label\nx,top_up' }, /^test\.csv, line 1: the header must name the columns text, category/],
    [{ 'test.csv': 'text,category\n' }, /test\.csv has no rows/],
    [
      { 'test.csv': 'text,category\nx,top_up\ny,top-upp' },
      /^test\.csv, row 1: unknown label "top-upp"; did you mean "top_up"/,
    ],
    [{ 'test.csv': 'text,category\nx,top_up\n"  ",top_up' }, /^test\.csv, row 1: the text is empty/],
    [
      { 'test.csv': undefined, 'test.jsonl': '{"text":5,"category":"top_up"}' },
      /^test\.jsonl, row 0: text and category must be strings, got 5/,
    ],
  ])('refuses a folder changed by %j', async (change, message) => {
    const contents = Object.fromEntries(
      Object.entries({ ...small, ...change }).filter(([, text]) => text !== undefined),
    );
    await expect(loadBanking77(inMemory(contents as Record<string, string>))).rejects.toThrow(message);
  });
});
