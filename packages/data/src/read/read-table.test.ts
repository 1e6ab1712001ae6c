import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { DataError } from '../errors';
import { blobSource, bytesSource, streamSource, type ByteSource } from '../files/byte-source';
import { readTable, type TableOptions } from './read-table';

const rows = [
  { text: 'where is my card', label: 'card' },
  { text: 'zażółć, "gęślą"', label: 'words' },
];
const texts: Record<string, string> = {
  'a.csv': 'text,label\nwhere is my card,card\n"zażółć, ""gęślą""",words\n',
  'a.tsv': 'text\tlabel\nwhere is my card\tcard\nzażółć, "gęślą"\twords\n',
  'a.json': JSON.stringify(rows),
  'a.jsonl': rows.map((row) => JSON.stringify(row)).join('\n'),
};

async function codeOf(source: ByteSource, options: TableOptions = {}): Promise<string> {
  return readTable(source, options).then(
    () => 'no error',
    (error: unknown) => (DataError.isInstance(error) ? error.code : String(error)),
  );
}

describe('readTable', () => {
  it.each(Object.entries(texts))(
    'reads %s by its name, packed or not, and by its content alone',
    async (name, text) => {
      const expected = rows.map((row) => ({ ...row }));
      const read = async (source: ByteSource): Promise<unknown> => (await readTable(source)).dataset.toRows();
      expect(await read(bytesSource(text, name))).toEqual(expected);
      expect(await read(bytesSource(new Uint8Array(gzipSync(text)), `${name}.gz`))).toEqual(expected);
      expect(await read(bytesSource(text, 'standard input'))).toEqual(expected);
      expect(await read(blobSource(new Blob([text]), 'upload'))).toEqual(expected);
      expect(await read(await streamSource(new Blob([text]).stream(), { name: 'body' }))).toEqual(expected);
    },
  );

  it('finds the delimiter of spreadsheets and takes another one that is named', async () => {
    const column = async (text: string, options: TableOptions = {}): Promise<unknown> =>
      (await readTable(bytesSource(text, 'a.csv'), options)).dataset.row(0);
    expect(await column('text;label\na, b;x\n')).toEqual({ text: 'a, b', label: 'x' });
    expect(await column('text|label\na|x\n', { delimiter: '|' })).toEqual({ text: 'a', label: 'x' });
    expect(await column('a,x\n', { columns: ['text', 'label'] })).toEqual({ text: 'a', label: 'x' });
  });

  it('fills keys that a row of JSON lacks with null, and reads objects of columns', async () => {
    const table = await readTable(bytesSource('{"a":1}\n{"b":2}\n', 'x.jsonl'));
    expect(table.dataset.toRows()).toEqual([
      { a: 1, b: null },
      { a: null, b: 2 },
    ]);
    expect(table.numbers).toEqual([1, 2]);
    const columns = await readTable(bytesSource('{"text":["a","b"],"label":[0,1]}', 'x.json'));
    expect(columns.dataset.row(1)).toEqual({ text: 'b', label: 1 });
    const nested = await readTable(bytesSource('{"version":1,"data":[{"text":"a"}]}', 'x.json'));
    expect(nested.dataset.toRows()).toEqual([{ text: 'a' }]);
  });

  it('skips rows of JSON that are none, with their lines', async () => {
    const table = await readTable(bytesSource('{"a":1}\n[2]\n{"a":\n{"a":3}', 'x.jsonl'), { onBadRow: 'skip' });
    expect(table.dataset.column('a')).toEqual([1, 3]);
    expect(table.skipped.map(({ place }) => place)).toEqual(['x.jsonl, line 2', 'x.jsonl, line 3']);
  });

  it.each<[string, ByteSource, TableOptions, string]>([
    ['a gzip bomb', bytesSource(new Uint8Array(gzipSync(new Uint8Array(2_000_000))), 'x.csv.gz'), {}, 'TOO_LARGE'],
    ['a file over the limit', bytesSource('a,b\n'.repeat(300_000), 'x.csv'), {}, 'TOO_LARGE'],
    ['too many values', bytesSource('a\n'.repeat(2_000), 'x.csv'), {}, 'TOO_LARGE'],
    ['a header of commas', bytesSource(','.repeat(100_000), 'x.csv'), {}, 'MALFORMED_CSV'],
    ['JSON nested deep', bytesSource('['.repeat(100_000), 'x.json'), {}, 'MALFORMED_JSON'],
    ['a line of JSON nested deep', bytesSource(`{"a":${'{"a":'.repeat(100)}`, 'x.jsonl'), {}, 'MALFORMED_JSON'],
    ['many empty values', bytesSource(`[${'1,'.repeat(2_000)}1]`, 'x.json'), {}, 'TOO_LARGE'],
    [
      'half a gzip file',
      bytesSource(new Uint8Array(gzipSync('a,b\n1,2\n')).subarray(0, 18), 'x.csv'),
      {},
      'MISSING_FILE',
    ],
    ['other bytes than text', bytesSource(Uint8Array.of(0, 1, 2), 'x'), {}, 'UNKNOWN_FORMAT'],
    ['nothing at all', bytesSource('', 'x'), {}, 'UNKNOWN_FORMAT'],
    ['UTF-16', bytesSource(Uint8Array.of(0xff, 0xfe, 0x61, 0), 'x.csv'), {}, 'NOT_UTF8'],
    ['a format that is none', bytesSource('a', 'x'), { format: 'xml' as never }, 'INVALID_OPTION'],
    ['a Parquet file that is none', bytesSource('PAR1 and then nothing PAR1', 'x'), {}, 'MALFORMED_PARQUET'],
  ])('refuses %s', async (_, source, options, code) => {
    expect(await codeOf(source, { ...options, limits: { maxBytes: 1_000_000, maxValues: 1_000 } })).toBe(code);
  });

  it('stops reading a stream at the limit', async () => {
    let given = 0;
    async function* endless(): AsyncGenerator<Uint8Array> {
      for (;;) {
        given++;
        yield new Uint8Array(1000);
      }
    }
    const limits = { maxBytes: 10_000, maxValues: 10 };
    await expect(streamSource(endless(), { name: 'body', limits })).rejects.toThrow(/^body: it unpacks to more than/);
    expect(given).toBe(11);
  });
});
