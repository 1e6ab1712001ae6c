import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DataError } from '../errors';
import { Dataset } from './dataset';

const people = Dataset.fromRows([
  { name: 'ann', age: 31 },
  { name: 'ben', age: 27 },
  { name: 'cem', age: 45 },
]);

function codeOf(run: () => unknown): string | undefined {
  try {
    run();
  } catch (error) {
    return error instanceof DataError ? error.code : undefined;
  }
  return undefined;
}

describe('Dataset', () => {
  it('reads rows and columns back', () => {
    expect(people.numRows).toBe(3);
    expect(people.columnNames).toEqual(['name', 'age']);
    expect(people.row(1)).toEqual({ name: 'ben', age: 27 });
    expect(people.column('age')).toEqual([31, 27, 45]);
    expect([...people]).toEqual(people.toRows());
    expect(Dataset.fromColumns({ name: ['ann', 'ben', 'cem'], age: [31, 27, 45] }).toRows()).toEqual(people.toRows());
  });

  it('leaves the original as it was', () => {
    const given = [{ text: 'a' }];
    const dataset = Dataset.fromRows(given);
    given[0]!.text = 'changed';
    dataset.row(0).text = 'changed';
    expect(dataset.row(0).text).toBe('a');
    people.removeColumns('age').shuffle(1);
    expect(people.columnNames).toEqual(['name', 'age']);
  });

  it('maps to exactly the columns that are returned', () => {
    const mapped = people.map(({ name }, index) => ({ name, initial: name.charAt(0), index }));
    expect(mapped.columnNames).toEqual(['name', 'initial', 'index']);
    expect(mapped.row(2)).toEqual({ name: 'cem', initial: 'c', index: 2 });
  });

  it('filters and selects, in the order asked for', () => {
    expect(people.filter(({ age }, index) => age > 30 || index === 1).numRows).toBe(3);
    expect(people.filter(({ age }) => age > 30).column('name')).toEqual(['ann', 'cem']);
    expect(people.select([2, 0, 2]).column('name')).toEqual(['cem', 'ann', 'cem']);
    expect(people.select(Uint8Array.of(1)).row(0).name).toBe('ben');
  });

  it("shuffles to the order of Hugging Face's Dataset.shuffle(seed=9)", () => {
    const numbers = Dataset.fromColumns({ i: Array.from({ length: 50 }, (_, i) => i) });
    expect(numbers.shuffle(9).column('i').slice(0, 10)).toEqual([49, 34, 18, 48, 17, 16, 41, 40, 46, 47]);
  });

  it('removes and renames columns in place', () => {
    expect(people.removeColumns('name').row(0)).toEqual({ age: 31 });
    const renamed = people.renameColumn('name', 'label');
    expect(renamed.columnNames).toEqual(['label', 'age']);
    expect(renamed.row(0).label).toBe('ann');
  });

  it.each([
    ['UNKNOWN_COLUMN', () => people.column('nmae' as 'name')],
    ['UNKNOWN_COLUMN', () => people.removeColumns('label' as 'name')],
    ['UNKNOWN_COLUMN', () => people.renameColumn('label' as 'name', 'x')],
    ['DUPLICATE_COLUMN', () => people.renameColumn('name', 'age')],
    ['DUPLICATE_COLUMN', () => Dataset.fromRows<{ a: number }>([], ['a', 'a'])],
    ['ROW_OUT_OF_RANGE', () => people.row(3)],
    ['ROW_OUT_OF_RANGE', () => people.row(-1)],
    ['ROW_OUT_OF_RANGE', () => people.row(0.5)],
    ['ROW_OUT_OF_RANGE', () => people.select([0, 3])],
    ['UNEVEN_ROWS', () => Dataset.fromColumns({ a: [1, 2], b: [1] })],
    ['UNEVEN_ROWS', () => Dataset.fromRows<object>([{ a: 1 }, { a: 1, b: 2 }])],
  ])('refuses with %s', (code, run) => {
    expect(codeOf(run)).toBe(code);
  });

  it('names the row that lacks a column', () => {
    expect(() => Dataset.fromRows<object>([{ text: 'a', label: 1 }, { text: 'b' }])).toThrow(
      /row 1 lacks the column "label"/,
    );
  });

  it('keeps a column called __proto__ a column', () => {
    const hostile = Dataset.fromRows([
      JSON.parse('{"__proto__": {"admin": true}, "text": "x"}') as Record<string, unknown>,
    ]);
    const row = hostile.row(0);
    expect(Object.getPrototypeOf(row)).toBe(Object.prototype);
    expect(hostile.columnNames).toEqual(['__proto__', 'text']);
    expect(({} as Record<string, unknown>)['admin']).toBeUndefined();
  });

  it('gives rows back whatever they hold', () => {
    fc.assert(
      fc.property(fc.array(fc.record({ text: fc.string(), label: fc.integer(), mask: fc.array(fc.nat()) })), (rows) => {
        expect(Dataset.fromRows(rows, ['text', 'label', 'mask']).toRows()).toEqual(rows);
      }),
    );
  });
});
