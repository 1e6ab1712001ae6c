import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { tinyFiles } from './testing/tiny-vocabulary';
import { GPT2Tokenizer } from './tokenizer';

const tokenizer = GPT2Tokenizer.fromFiles(tinyFiles);

describe('createDecodeStream', () => {
  it('holds a character back until it is whole', () => {
    const stream = tokenizer.createDecodeStream();
    const ids = tokenizer.encode('é🙂!');
    expect(ids).toHaveLength(7);
    expect(ids.map((id) => stream.push(id))).toEqual(['', 'é', '', '', '', '🙂', '!']);
    expect(stream.end()).toBe('');
  });

  it('says at the end what was never completed', () => {
    const stream = tokenizer.createDecodeStream();
    expect(stream.push(tokenizer.encode('🙂')[0]!)).toBe('');
    expect(stream.end()).toBe('\ufffd');
  });

  it('leaves special tokens out on request, and refuses unknown ids', () => {
    const ids = tokenizer.encode('hello<|endoftext|> world');
    const stream = tokenizer.createDecodeStream({ skipSpecialTokens: true });
    expect(ids.map((id) => stream.push(id))).toEqual(['hello', '', ' world']);
    expect(() => stream.push(-1)).toThrow('Id 3 of the stream is -1');
  });

  it('joins to what decode gives, for any ids', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(tokenizer.length - 1)), (ids) => {
        const stream = tokenizer.createDecodeStream();
        const parts = ids.map((id) => stream.push(id));
        expect(parts.join('') + stream.end()).toBe(tokenizer.decode(ids));
      }),
      { numRuns: 500 },
    );
  });
});
