import { describe, expect, it } from 'vitest';
import { pythonFloat, pythonJson, PythonFloat } from './python-json';

describe('pythonFloat', () => {
  // Each from Python's repr.
  it.each([
    [0.09494578838348389, '0.09494578838348389'],
    [1, '1.0'],
    [-0, '-0.0'],
    [0, '0.0'],
    [0.0001, '0.0001'],
    [0.00001, '1e-05'],
    [-1.2345e-7, '-1.2345e-07'],
    [1e-38, '1e-38'],
    [1.5e-300, '1.5e-300'],
    [123456789012345680, '1.2345678901234568e+17'],
    [1e16, '1e+16'],
    [1e15, '1000000000000000.0'],
    [1e22, '1e+22'],
    [1.1754943508222875e-38, '1.1754943508222875e-38'],
  ])('writes %d as Python does', (value, text) => {
    expect(pythonFloat(value)).toBe(text);
  });
});

describe('pythonJson', () => {
  it('spaces, lists and escapes as json.dumps does', () => {
    const value = { shape: [2, 3], 'ü"\u007f': 'ä\n', f: new PythonFloat(2) };
    expect(pythonJson(value)).toBe('{"shape": [2, 3], "\\u00fc\\"\\u007f": "\\u00e4\\n", "f": 2.0}');
  });
});
