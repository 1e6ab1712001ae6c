import { expect, it } from 'vitest';
import { orderedRecord, withEntry } from './ordered-record';
import { parsePythonJson, pythonJson } from './python-json';

it('lists names as they came, where JavaScript would take them for indices', () => {
  const record = orderedRecord([
    ['10', 'a'],
    ['b', 'c'],
    ['2', 'd'],
    ['10', 'e'],
  ]);
  expect(Object.keys(record)).toEqual(['10', 'b', '2']);
  expect(JSON.stringify(record)).toBe('{"10":"e","b":"c","2":"d"}');
  expect(Object.keys(withEntry(withEntry(record, '1', 'f'), '2', 'g'))).toEqual(['10', 'b', '2', '1']);
  expect(record['2']).toBe('d');
  expect(Object.hasOwn(record, '3')).toBe(false);
});

it('has names that throw, which no list shows', () => {
  const refuse = (): never => {
    throw new RangeError('no');
  };
  for (const name of ['x', '7']) {
    const record = orderedRecord([['10', 1]], { [name]: refuse });
    expect(record).toEqual({ 10: 1 });
    expect(() => record[name]).toThrow(RangeError);
  }
});

it('comes out of JSON and goes into JSON in order', () => {
  const text = '{"10":{"3":NaN,"1":[{"9":1,"8":2}]},"b":"\\"2\\": ","2":0}';
  expect(pythonJson(parsePythonJson(text))).toBe(text);
});
