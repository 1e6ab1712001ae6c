import { describe, expect, it } from 'vitest';
import { bankingIntents, bareWords, generateBankingIntents } from './generate';
import { type Split } from './intent';
import { slotFillers } from './slots';

const splits: readonly Split[] = ['train', 'validation', 'test'];
const data = generateBankingIntents();

describe('generateBankingIntents', () => {
  it('makes a balanced set of at least 16 intents and 1,000 queries', () => {
    expect(data.labelMap.size).toBeGreaterThanOrEqual(16);
    expect([data.train.numRows, data.validation.numRows, data.test.numRows]).toEqual([1400, 200, 400]);
    for (const [split, count] of [
      ['train', 70],
      ['validation', 10],
      ['test', 20],
    ] as const) {
      const labels = data[split].column('label');
      expect(new Set(data.labelMap.names.map((name) => labels.filter((label) => label === name).length))).toEqual(
        new Set([count]),
      );
    }
  });

  it('shows no text and no phrasing in two splits, and no text twice', () => {
    const texts = splits.flatMap((split) => data[split].column('text').map(bareWords));
    expect(new Set(texts).size).toBe(texts.length);
    const [train, validation, test] = splits.map((split) => new Set(data[split].column('phrasing')));
    expect([...test!].filter((phrasing) => train!.has(phrasing) || validation!.has(phrasing))).toEqual([]);
    expect([...validation!].filter((phrasing) => train!.has(phrasing))).toEqual([]);
  });

  it('has every phrasing once in the whole inventory, with slots that exist', () => {
    const all = bankingIntents.flatMap((intent) => splits.flatMap((split) => intent[split]));
    expect(new Set(all).size).toBe(all.length);
    for (const phrasing of all) {
      for (const [, slot] of phrasing.matchAll(/\{(\w*)\}/g)) expect(slotFillers(slot!).length).toBeGreaterThan(5);
      // Alternatives do not nest, and every bracket closes.
      expect(phrasing.replace(/\[[^[\]]*\]/g, '').replace(/\{\w+\}/g, '')).not.toMatch(/[[\]{}|]/);
    }
    expect(() => slotFillers('constructor')).toThrow(/no slot is called/);
  });

  it('makes the very data whose accuracies the README gives', () => {
    const characters = splits.map((split) => data[split].column('text').join('\n').length);
    expect(characters).toEqual([128_085, 16_566, 38_447]);
    expect(data.test.column('text').slice(0, 2)).toEqual([
      'We already talked abotu three wrong PIN tries and the cost of my transfer. They charged 65 pounds, and a minute later that much again.',
      'No question about the 90 dollars somebody spent in Berlin now. What do you take as the exchaneg rate if I pay in France tomorrow?',
    ]);
  });

  it('leaves nothing unfilled in a query', () => {
    for (const split of splits)
      for (const text of data[split].column('text')) expect(text).not.toMatch(/[[\]{}|]| {2}|undefined/);
  });

  it('is the same for the same seed, and another for another', () => {
    const again = generateBankingIntents({ seed: 0 });
    expect(again.test.toRows()).toEqual(data.test.toRows());
    expect(again.train.toRows()).toEqual(data.train.toRows());
    const other = generateBankingIntents({ seed: 1 });
    const known = new Set(data.train.column('text'));
    expect(other.train.column('text').filter((text) => known.has(text)).length).toBeLessThan(700);
  });

  it('makes the sizes asked for, none as well', () => {
    const small = generateBankingIntents({ trainPerIntent: 3, validationPerIntent: 0, testPerIntent: 1 });
    expect([small.train.numRows, small.validation.numRows, small.test.numRows]).toEqual([60, 0, 20]);
    expect(small.validation.columnNames).toEqual(['text', 'label', 'phrasing']);
  });

  it('says when an intent has no more to say', () => {
    expect(() => generateBankingIntents({ validationPerIntent: 10_000 })).toThrow(
      /the intent \w+ has no more than \d+ different validation queries, asked for 10000/,
    );
    expect(() => generateBankingIntents({ trainPerIntent: -1 })).toThrow(
      /trainPerIntent is a number of queries, got -1/,
    );
    expect(() => generateBankingIntents({ testPerIntent: 1.5 })).toThrow(/testPerIntent/);
  });
});
