import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseJsonl } from './jsonl';

describe('parseJsonl', () => {
  it('reads one object a line, keys in any order, empty lines aside', () => {
    const text = '\uFEFF{"text":"a","label":1}\r\n\n{"label":2,"text":"b\\n"}\n';
    expect(parseJsonl(text).toRows()).toEqual([
      { text: 'a', label: 1 },
      { text: 'b\n', label: 2 },
    ]);
  });

  it.each([
    ['{"a":1}\n{"a":', /^x\.jsonl, line 2: not JSON/],
    ['{"a":1}\n\n[1]', /^x\.jsonl, line 3: a row is one JSON object, got "\[1\]"/],
    ['null', /^x\.jsonl, line 1: a row is one JSON object/],
    ['{"a":1}\n{"b":1}', /^x\.jsonl, line 2: the key "a" is missing; every line has the keys a/],
    ['{"a":1}\n{"a":1,"b":2}', /^x\.jsonl, line 2: the key "b" is new here/],
  ])('names the line in %j', (text, message) => {
    expect(() => parseJsonl(text, { source: 'x.jsonl' })).toThrow(message);
  });

  it('shows the start of a long bad line, not all of it', () => {
    expect(() => parseJsonl('x'.repeat(100_000))).toThrow(/^.{0,400}$/s);
  });

  it('gives back any rows of JSON', () => {
    fc.assert(
      fc.property(fc.array(fc.record({ text: fc.string(), other: fc.jsonValue() })), (rows) => {
        const text = rows.map((row) => JSON.stringify(row)).join('\n');
        expect(parseJsonl(text).toRows()).toEqual(JSON.parse(JSON.stringify(rows)));
      }),
    );
  });
});
