import { describe, expect, it } from 'vitest';
import { bytesSource } from '../files/byte-source';
import { memoryDataFiles } from '../files/data-files';
import {
  loadLanguageModelDataset,
  type LanguageModelDataset,
  type LanguageModelDatasetOptions,
} from './load-language-model-dataset';

const load = (text: string, options: LanguageModelDatasetOptions = {}, name = 'texts.csv') =>
  loadLanguageModelDataset(bytesSource(text, name), { validation: 0, testShare: 0, ...options });

const texts = (rows: LanguageModelDataset['train']): unknown[] =>
  [...rows].map((row) => ('text' in row ? row.text : [row.prompt, row.completion]));

describe('loadLanguageModelDataset', () => {
  it('finds prompts and completions by their names, before texts', async () => {
    const data = await load('question,answer,text\nwhy?,because,x\n"",so,y\n');
    expect(data.columns).toEqual({ prompt: 'question', completion: 'answer' });
    expect(texts(data.train)).toEqual([
      ['why?', 'because'],
      ['', 'so'],
    ]);
    expect(data.notes).toEqual(['prompts from column "question", completions from column "answer"']);
    expect((await load('question,answer,text\na,b,c\n', { textColumn: 'text' })).columns).toEqual({ text: 'text' });
  });

  it('takes whole texts, and holds rows out', async () => {
    const rows = Array.from({ length: 20 }, (_, row) => `{"body": "text number ${row}"}`).join('\n');
    const data = await load(rows, { validation: 0.1, testShare: 0.2 }, 'texts.jsonl');
    expect([data.train.numRows, data.validation.numRows, data.test.numRows]).toEqual([14, 2, 4]);
    expect(data.places.test.map(({ number }) => `text number ${number - 1}`)).toEqual(texts(data.test));
  });

  it('reads the splits that a folder names', async () => {
    const files = memoryDataFiles('folder', {
      'train.csv': 'text\na\n',
      'validation.csv': 'text\nb\n',
      'test.csv': 'text\nc\n',
    });
    const { train, validation, test } = await loadLanguageModelDataset(files);
    expect([train, validation, test].map(texts)).toEqual([['a'], ['b'], ['c']]);
  });

  it('refuses or skips rows without text, by their lines', async () => {
    const text = 'prompt,completion\na,b\nc, \n';
    await expect(load(text)).rejects.toThrow(/^texts\.csv, line 3: the text is empty \(column "completion"\)/);
    const { train, skipped } = await load(text, { onBadRow: 'skip' });
    expect([train.numRows, skipped.length]).toEqual([1, 1]);
  });

  it.each<[LanguageModelDatasetOptions, RegExp]>([
    [{ promptColumn: 'a' }, /promptColumn and completionColumn together/],
    [{ promptColumn: 'a', completionColumn: 'b', textColumn: 'a' }, /textColumn alone/],
    [{ textColumn: 'z' }, /textColumn is "z", but the columns are "a", "b"/],
    [{}, /which column holds the texts\?/],
  ])('refuses %j', async (options, message) => {
    await expect(load('a,b\nx y,z w\n', options)).rejects.toThrow(message);
  });
});
