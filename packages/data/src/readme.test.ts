import { expect, it } from 'vitest';
import { runReadmeExample, runReadmeSection } from '../../../tools/test/readme';

it('runs the example of the README', async () => {
  const printed = await runReadmeExample(import.meta.url);
  expect(printed[0]).toMatch(
    /^single_label_classification: texts from column "query"; labels from column "intent"; 140 of/,
  );
  expect(printed[1]).toMatch(/^train: \d+ to \d+ rows a label$/);
  expect(printed.at(-3)).toMatch(
    /^train: 1,134 rows, columns input_ids, attention_mask, label\n {2}20 labels, \d+ to \d+ rows each; first rows: \w+, \w+\n {2}tokens a text: mean /,
  );
  expect(printed.at(-2)).toMatch(/^\d+ texts were cut$/);
  expect(printed.at(-1)).toMatch(/^\[16, (\d+)\], \d+ tokens of \d+, 16 labels$/);
});

it('runs the section on rows that arrive', async () => {
  expect(await runReadmeSection(import.meta.url, 'Rows that arrive')).toEqual(['1000 rows, 500 of them odd']);
});
