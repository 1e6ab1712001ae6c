import { describe, expect, it } from 'vitest';
import { bytesSource } from '../files/byte-source';
import { memoryDataFiles, singleFile } from '../files/data-files';
import { loadTextDataset, type TextDatasetOptions } from './load-text-dataset';
import { placeOf } from './rows';

const csv = (text: string, name = 'data.csv') => singleFile(bytesSource(text, name));
const whole: TextDatasetOptions = { validation: 0, testShare: 0 };
const rowsOf = (text: string): string =>
  Array.from({ length: 20 }, (_, i) => `${text} ${i},${i % 2 ? 'b' : 'a'}`).join('\n');

describe('loadTextDataset', () => {
  it('reads one file: columns and labels by themselves, ids in sorted order, two parts held out', async () => {
    const { task, columns, labelMap, train, validation, test, notes } = await loadTextDataset(
      csv(
        `id,review,sentiment\n${Array.from({ length: 20 }, (_, i) => `${i},a review ${i},${i % 2 ? 'neg' : 'pos'}`).join('\n')}\n`,
      ),
    );
    expect(task).toBe('single_label_classification');
    expect([columns.text, columns.label]).toEqual(['review', 'sentiment']);
    expect(labelMap!.label2id).toEqual({ neg: 0, pos: 1 });
    expect([train.numRows, validation.numRows, test.numRows]).toEqual([16, 2, 2]);
    expect(notes).toEqual([
      'texts from column "review"',
      'labels from column "sentiment"',
      '2 of the training rows are held out to test with',
      '2 of the training rows are held out to validate with',
    ]);
  });

  it('keeps the place of every row through splits', async () => {
    const { train, test } = await loadTextDataset(csv(`text,label\n${rowsOf('words')}\n`));
    for (const { text, place } of [...train, ...test]) {
      expect(placeOf(place)).toBe(`data.csv, line ${2 + Number(text.split(' ')[1])}`);
    }
  });

  it('reads the layout of Banking77: splits by file, ids by categories.json', async () => {
    const files = memoryDataFiles('set', {
      'categories.json': '["top_up","age_limit"]',
      'train.csv': 'text,category\nHow old must I be?,age_limit\n"Top up, please",top_up\n',
      'test.jsonl': '{"text":"May a child have a card?","category":"age_limit"}\n',
    });
    const { train, test, labelMap } = await loadTextDataset(files, { validation: 0 });
    expect(train.column('label')).toEqual(['age_limit', 'top_up']);
    expect(test.column('text')).toEqual(['May a child have a card?']);
    expect(labelMap!.label2id).toEqual({ top_up: 0, age_limit: 1 });
  });

  it('takes every file of a split, in the order of their names, and says which files it leaves', async () => {
    const { train, validation, test, notes } = await loadTextDataset(
      memoryDataFiles('set', {
        'data/train-00001-of-00002.csv': 'text,label\nsecond,b\n',
        'data/train-00000-of-00002.csv': 'text,label\nfirst,a\n',
        'data/dev.tsv': 'text\tlabel\nhe said "no"\ta\n',
        'data/test.json': '[{"text":"third","label":"a"}]',
        'notes.json': '[]',
      }),
    );
    expect(train.column('text')).toEqual(['first', 'second']);
    expect(validation.column('text')).toEqual(['he said "no"']);
    expect(test.column('text')).toEqual(['third']);
    expect(notes[0]).toBe('files that belong to no split are not read: notes.json');
  });

  it('orders labels that are numbers by size and names them by the card where there is one', async () => {
    const numbers = 'text,label\none,10\ntwo,9\nthree,0\n';
    expect((await loadTextDataset(csv(numbers), whole)).labelMap!.names).toEqual(['0', '9', '10']);
    const card =
      "---\ndataset_info:\n  features:\n  - name: text\n    dtype: string\n  - name: label\n    dtype:\n      class_label:\n        names:\n          '0': bad\n          '1': good\n---\n# A card\n";
    const { train, labelMap } = await loadTextDataset(
      memoryDataFiles('set', { 'train.csv': 'text,label\none,1\ntwo,0\n', 'README.md': card }),
      whole,
    );
    expect(labelMap!.names).toEqual(['bad', 'good']);
    expect(train.column('label')).toEqual(['good', 'bad']);
  });

  it('takes lists for several labels, in rows of JSON and split out of a text', async () => {
    const jsonl = '{"text":"a","tags":["x","y"]}\n{"text":"b","tags":[]}\n{"text":"c","tags":["y"]}\n';
    const several = await loadTextDataset(singleFile(bytesSource(jsonl, 'tags.jsonl')), whole);
    expect([several.task, several.labelMap!.names]).toEqual(['multi_label_classification', ['x', 'y']]);
    expect(several.train.column('label')).toEqual([['x', 'y'], [], ['y']]);
    const split = await loadTextDataset(csv('text,tags\na,x | y\nb,y\n'), { ...whole, labelSeparator: '|' });
    expect(split.train.column('label')).toEqual([['x', 'y'], ['y']]);
  });

  it('takes numbers with a fraction for regression, and whole ones where that is asked for', async () => {
    const { task, labelMap, train } = await loadTextDataset(csv('text,score\na,0.5\nb,-2\n'), whole);
    expect([task, labelMap]).toEqual(['regression', undefined]);
    expect(train.column('label')).toEqual([0.5, -2]);
    const whole5 = await loadTextDataset(csv('text,stars\na,5\nb,1\n'), { ...whole, task: 'regression' });
    expect(whole5.train.column('label')).toEqual([5, 1]);
  });

  it('joins the texts of a pair', async () => {
    const text = 'premise,hypothesis,label\nIt rains,It is wet,yes\nIt snows,It is hot,no\n';
    expect((await loadTextDataset(csv(text), whole)).train.column('text')).toEqual([
      'It rains\nIt is wet',
      'It snows\nIt is hot',
    ]);
    const named = { ...whole, textColumn: 'hypothesis', textPairColumn: 'premise', pairSeparator: ' | ' };
    expect((await loadTextDataset(csv(text), named)).train.row(0).text).toBe('It is wet | It rains');
  });

  it('leaves a split out whose rows carry no labels', async () => {
    const files = memoryDataFiles('set', { 'train.csv': 'text,label\na,0\nb,1\n', 'test.csv': 'text,label\nc,-1\n' });
    const { test, notes } = await loadTextDataset(files, whole);
    expect(test.numRows).toBe(0);
    expect(notes.join()).toContain('test.csv carry no labels (-1)');
  });

  it('skips and counts bad rows where that is asked for, each with its place and cause', async () => {
    const text = 'text,label\nfine,a\n,a\nmore,b,c\n"open,b\nlast,\nend,b\n';
    const { train, skipped } = await loadTextDataset(csv(text), { ...whole, onBadRow: 'skip' });
    expect(train.column('text')).toEqual(['fine', 'end']);
    expect(skipped.map(({ place }) => place)).toEqual([
      'data.csv, line 4',
      'data.csv, line 5',
      'data.csv, line 3',
      'data.csv, line 6',
    ]);
    expect(skipped[2]!.cause).toMatch(/^data\.csv, line 3: the text is empty \(column "text"\)/);
    await expect(loadTextDataset(csv('text,label\nfine,a\n,a\n'), whole)).rejects.toThrow(
      /^data\.csv, line 3: the text is empty/,
    );
  });

  it.each<[string, string, TextDatasetOptions, RegExp]>([
    ['one label alone', 'text,label\na,x\nb,x\n', {}, /one label alone, "x": there is nothing to tell apart/],
    [
      'a column that is not there',
      'text,label\na,x\n',
      { labelColumn: 'lable' },
      /labelColumn is "lable", but the columns are "text", "label"/,
    ],
    ['no column of labels', 'text\na\n', {}, /which column holds the labels\? Name it with labelColumn/],
    ['several columns that may be it', 'text,u,v\na,x,y\n', {}, /labelColumn; it may be "u", "v"/],
    ['columns alike', 'u,v\nabc,abd\n', {}, /which column holds the texts/],
    ['a missing label', 'text,label\na,x\nb,\n', {}, /^data\.csv, line 3: the label is missing/],
    [
      'a name among numbers',
      'text,label\na,1.5\nb,x\n',
      { task: 'regression' },
      /^data\.csv, line 3: a finite number is needed as the value to predict, got "x"/,
    ],
    ['an unknown task', 'text,label\na,x\nb,y\n', { task: 'ranking' as never }, /a task is one of single_label/],
    [
      'a label that has no name',
      'text,label\na,x\nb,z\n',
      { labelNames: ['x', 'y'] },
      /^data\.csv, line 3: unknown label "z"/,
    ],
  ])('refuses %s', async (_, text, options, message) => {
    await expect(loadTextDataset(csv(text), { ...whole, ...options })).rejects.toThrow(message);
  });

  it('refuses a test label that training has not seen, naming its place', async () => {
    const files = memoryDataFiles('set', { 'train.csv': 'text,label\na,x\nb,y\n', 'test.csv': 'text,label\nc,xx\n' });
    await expect(loadTextDataset(files, { validation: 0 })).rejects.toThrow(
      /^test\.csv, line 2: unknown label "xx"; did you mean "x"/,
    );
  });

  it('refuses a folder without data, saying what is there', async () => {
    await expect(loadTextDataset(memoryDataFiles('set', { 'README.md': '' }))).rejects.toThrow(
      'set has no data file to train with; it has README.md',
    );
  });

  it('takes a test set of its own', async () => {
    const { train, test } = await loadTextDataset(csv('text,label\na,x\nb,y\n'), {
      validation: 0,
      testData: csv('text,label\nc,y\n', 'other.csv'),
    });
    expect([train.numRows, test.column('text')]).toEqual([2, ['c']]);
  });
});
