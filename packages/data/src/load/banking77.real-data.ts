import { describe, expect, it } from 'vitest';
import { banking77Folder } from '../../../../tools/test/real-data';
import { bareWords, generateBankingIntents } from '../banking/generate';
import { trainTestSplit } from '../dataset/train-test-split';
import { openData } from '../node/open-data';
import { loadTextDataset } from './load-text-dataset';

const { train, test, labelMap } = await loadTextDataset(await openData(banking77Folder()), { validation: 0 });

/** Row numbers of both sides, shortened: how many, the first six, and a sum that depends on their order. */
function digest(rows: readonly number[]): [number, number[], number] {
  return [rows.length, rows.slice(0, 6), rows.reduce((sum, row, place) => sum + row * (place + 1), 0)];
}

// Expected rows: datasets 4.x, Dataset.train_test_split with the same arguments.
describe('Banking77 itself', () => {
  it('reads the real data: 10,003 and 3,080 rows, 77 labels in the order of categories.json', async () => {
    expect([train.numRows, test.numRows, labelMap!.size]).toEqual([10_003, 3_080, 77]);
    expect(labelMap!.names.slice(0, 3)).toEqual(['card_arrival', 'card_linking', 'exchange_rate']);
    expect(train.row(0)).toMatchObject({ text: 'I am still waiting on my card?', label: 'card_arrival' });
    expect(new Set(test.column('label')).size).toBe(77);
    expect(train.filter(({ text }) => text.includes('\n')).numRows).toBeGreaterThan(0);
  });

  it("splits Banking77 into Hugging Face's 9,002 and 1,001 rows", async () => {
    const numbered = train.map(({ label }, i) => ({ i, label: labelMap!.id(label as string) }));
    const split = (seed: number, stratifyBy?: string): unknown => {
      const sides = trainTestSplit(numbered, { testSize: 0.1, seed, stratifyBy });
      return [digest(sides.train.column('i')), digest(sides.test.column('i'))];
    };
    expect(split(0)).toEqual([
      [9002, [6823, 2601, 7898, 4487, 5501, 501], 201494683772],
      [1001, [6772, 2290, 2891, 4754, 2125, 4861], 2500051511],
    ]);
    expect(split(42)).toEqual([
      [9002, [4335, 9658, 7290, 2014, 3097, 9929], 203127913993],
      [1001, [5128, 7515, 719, 3921, 9619, 8437], 2509263530],
    ]);
    expect(split(0, 'label')).toEqual([
      [9002, [1607, 1842, 6975, 5838, 7846, 7330], 202297455057],
      [1001, [2239, 4161, 8064, 7712, 7201, 1191], 2501212308],
    ]);
    expect(split(42, 'label')).toEqual([
      [9002, [751, 3948, 2650, 2889, 9162, 5563], 203604532570],
      [1001, [9770, 2999, 8952, 7129, 1173, 7800], 2460751514],
    ]);
  });

  it('shares no query with Banking77', async () => {
    const known = new Set([...train.column('text'), ...test.column('text')].map(bareWords));
    const large = generateBankingIntents({ seed: 5, trainPerIntent: 150, validationPerIntent: 15, testPerIntent: 120 });
    const shared = (['train', 'validation', 'test'] as const).flatMap((split) =>
      large[split].column('text').filter((text) => known.has(bareWords(text))),
    );
    expect(shared).toEqual([]);
  });
});
