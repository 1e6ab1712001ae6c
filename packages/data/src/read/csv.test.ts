import { parse } from 'csv-parse/sync';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DataError } from '../errors';
import { parseCsv, readCsv } from './csv';

describe('parseCsv', () => {
  it('reads quotes, doubled quotes, delimiters and line breaks in fields', () => {
    const text = 'text,category\n"a, b",x\n"say ""hi""",y\n"two\nlines",z\n,w\n';
    expect(parseCsv(text).toRows()).toEqual([
      { text: 'a, b', category: 'x' },
      { text: 'say "hi"', category: 'y' },
      { text: 'two\nlines', category: 'z' },
      { text: '', category: 'w' },
    ]);
  });

  it.each(['\n', '\r\n', '\r'])('takes %j as the end of a line, the last one with or without it', (end) => {
    const rows = [
      { a: '1', b: '2' },
      { a: '3', b: '4' },
    ];
    expect(parseCsv(`a,b${end}1,2${end}3,4`).toRows()).toEqual(rows);
    expect(parseCsv(`a,b${end}1,2${end}3,4${end}`).toRows()).toEqual(rows);
  });

  it('takes line ends of several kinds in one file, and a byte-order mark', () => {
    expect(parseCsv('\uFEFFa,b\r\n1,2\n3,4\r5,6').column('a')).toEqual(['1', '3', '5']);
  });

  it('skips empty lines, but not a quoted empty field', () => {
    expect(parseCsv('a\n\n1\n\r\n""\n\n').column('a')).toEqual(['1', '']);
  });

  it('keeps spaces, and quotes that close at the end of the text', () => {
    expect(parseCsv('a,b\n 1 ,"2 "').row(0)).toEqual({ a: ' 1 ', b: '2 ' });
  });

  it('takes other delimiters and headless files', () => {
    expect(parseCsv('1;2,5\n3;4', { delimiter: ';', withoutHeader: true, columns: ['a', 'b'] }).toRows()).toEqual([
      { a: '1', b: '2,5' },
      { a: '3', b: '4' },
    ]);
  });

  it('makes no object of a column called __proto__', () => {
    const table = parseCsv('__proto__,text\nx,y');
    expect(table.columnNames).toEqual(['__proto__', 'text']);
    expect(Object.hasOwn(table.row(0), '__proto__')).toBe(true);
  });

  it.each([
    [
      'too many fields',
      'text,category\nfine,x\na, b,y\n',
      /^my\.csv, line 3: 3 fields where there are 2 columns \(text, category\)/,
    ],
    [
      'too few fields',
      'text,category\r\n"two\r\nlines",x\r\nlonely\r\n',
      /^my\.csv, line 4: 1 field where there are 2 columns/,
    ],
    [
      'an unclosed quote',
      'text,category\nfine,x\n"never closed,y\nz,w\n',
      /^my\.csv, line 3: a quoted field .* is never closed/,
    ],
    ['text after a quote', 'text,category\n"a"b,x\n', /^my\.csv, line 2: "b" follows a closing quote/],
    [
      'a quote inside a field',
      'text,category\nsay "hi",x\n',
      /^my\.csv, line 2: a quote inside the unquoted field "say \\"hi\\""/,
    ],
    ['a column that is there twice', 'text,text\na,b\n', /^my\.csv, line 1: the header names the column "text" twice/],
    ['nothing', '', /^my\.csv is empty/],
  ])('names the line of %s', (_, text, message) => {
    expect(() => parseCsv(text, { source: 'my.csv' })).toThrow(message);
  });

  it('counts lines inside quoted fields', () => {
    expect(() => parseCsv('a,b\n"1\r\n2\n3\r4",x\n\nbad\n')).toThrow(/line 7: 1 field/);
  });

  it('insists on the columns asked for', () => {
    const columns = ['text', 'category'];
    expect(parseCsv('category,text\nx,a', { columns }).row(0)).toEqual({ text: 'a', category: 'x' });
    expect(() => parseCsv('text,label\na,x', { columns })).toThrow(
      /must name the columns text, category; it names "text, label"/,
    );
    expect(() => parseCsv('text,category,id\na,x,1', { columns })).toThrow(/it names "text, category, id"/);
  });

  it.each([{ delimiter: '' }, { delimiter: '"' }, { delimiter: '\n' }, { delimiter: '::' }, { withoutHeader: true }])(
    'refuses the options %j',
    (options) => {
      expect(() => parseCsv('a\n1', options)).toThrow(DataError);
    },
  );

  it('gives back any table that was written by the rules', () => {
    const field = fc.string({ unit: fc.constantFrom('a', '"', ',', '\n', '\r', ' ', 'é', '😀', '\uFEFF') });
    const table = fc
      .integer({ min: 1, max: 4 })
      .chain((width) => fc.array(fc.array(field, { minLength: width, maxLength: width }), { minLength: 1 }));
    fc.assert(
      fc.property(table, fc.constantFrom('\n', '\r\n'), (records, end) => {
        const names = records[0]!.map((_, place) => `c${place}`);
        const text = [names, ...records]
          .map((fields) => fields.map((value) => `"${value.replaceAll('"', '""')}"`).join(','))
          .join(end);
        expect(parseCsv(text).toRows()).toEqual(
          records.map((fields) => Object.fromEntries(fields.map((value, place) => [`c${place}`, value]))),
        );
      }),
    );
  });

  it('reads any text or refuses it with its own error', () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom('a', '"', ',', '\n', '\r') }), (text) => {
        try {
          expect(parseCsv(text).numRows).toBeGreaterThanOrEqual(0);
        } catch (error) {
          expect(error).toBeInstanceOf(DataError);
        }
      }),
    );
  });

  it('reads what csv-parse reads, and refuses what it refuses', () => {
    const pieces = fc.constantFrom('a', 'b ', '"', '""', ',', '\n', '"x, y"', '"two\nlines"', ' ');
    fc.assert(
      fc.property(fc.array(pieces, { maxLength: 30 }), (parts) => {
        const text = `h,i\n${parts.join('')}`;
        const attempt = <T>(read: () => T): T | 'refused' => {
          try {
            return read();
          } catch {
            return 'refused';
          }
        };
        // csv-parse takes an empty line of one column for a record; ours, as Python's, does not.
        const theirs = attempt(() => parse(text, { skip_empty_lines: true }).slice(1));
        const ours = attempt(() =>
          parseCsv(text)
            .toRows()
            .map(({ h, i }) => [h, i]),
        );
        expect(ours).toEqual(theirs);
      }),
      { numRuns: 500 },
    );
  });

  it('reads on behind bad records where they are skipped, with the lines of the rest', () => {
    const { dataset, numbers, skipped } = readCsv('a,b\n1,2\n3\n"4,\n5,6\n"x"y,7\n8,9\n', {
      onBadRow: 'skip',
      source: 'x.csv',
    });
    expect(dataset.column('a')).toEqual(['1', '5', '8']);
    expect(numbers).toEqual([2, 5, 7]);
    expect(skipped.map(({ place }) => place)).toEqual(['x.csv, line 3', 'x.csv, line 4', 'x.csv, line 6']);
  });
});
