import { describe, expect, it } from 'vitest';
import { quote, TokenizerError } from './errors';

describe('TokenizerError', () => {
  it('is told apart from other errors, whichever build made it', () => {
    const error = new TokenizerError('UNKNOWN_ID', 'no such id', { value: -1, cause: 'test' });
    expect(error).toMatchObject({ name: 'TokenizerError', code: 'UNKNOWN_ID', value: -1, cause: 'test' });
    expect(TokenizerError.isInstance(error)).toBe(true);
    expect(TokenizerError.isInstance(new Error('no such id'))).toBe(false);
    expect(TokenizerError.isInstance({ name: 'TokenizerError' })).toBe(false);
  });
});

describe('quote', () => {
  it('shows any value, at a length that can be read', () => {
    const circular: unknown[] = [];
    circular.push(circular);
    expect(quote('a\n')).toBe('"a\\n"');
    expect(quote(NaN)).toBe('NaN');
    expect(quote(undefined)).toBe('undefined');
    expect(quote(null)).toBe('null');
    expect(quote(10n)).toBe('10');
    expect(quote(Symbol('s'))).toBe('Symbol(s)');
    expect(quote(circular)).toBe('[[[[[…]]]]]');
    expect(quote('x'.repeat(1000))).toHaveLength(80);
  });
});
