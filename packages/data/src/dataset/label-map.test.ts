import { describe, expect, it } from 'vitest';
import { LabelMap } from './label-map';

const labels = LabelMap.fromNames(['card_arrival', 'exchange_rate', 'Refund_not_showing_up']);

describe('LabelMap', () => {
  it('numbers names in the order given, and back', () => {
    expect(labels.id('exchange_rate')).toBe(1);
    expect(labels.name(2)).toBe('Refund_not_showing_up');
    expect(labels.size).toBe(3);
    expect(labels.label2id).toEqual({ card_arrival: 0, exchange_rate: 1, Refund_not_showing_up: 2 });
    expect(JSON.stringify(labels.id2label)).toBe(
      '{"0":"card_arrival","1":"exchange_rate","2":"Refund_not_showing_up"}',
    );
  });

  it('numbers values by the alphabet', () => {
    expect(LabelMap.fromValues(['b', 'a', 'b', 'C']).names).toEqual(['C', 'a', 'b']);
  });

  it('comes back from the id2label of a config.json, ten labels and more', () => {
    const many = LabelMap.fromNames(Array.from({ length: 12 }, (_, id) => `label ${id}`));
    expect(LabelMap.fromId2Label(many.id2label).names).toEqual(many.names);
  });

  it('names row, source, value and the nearest label', () => {
    expect(() => labels.id('Exchange rate', { row: 12, source: 'test.csv' })).toThrow(
      'test.csv, row 12: unknown label "Exchange rate"; did you mean "exchange_rate"?',
    );
    expect(() => labels.id('card_arival')).toThrow('did you mean "card_arrival"?');
    expect(() => labels.id('refund_not_showing_up')).toThrow('did you mean "Refund_not_showing_up"?');
    expect(() => labels.id('zzz')).toThrow(
      'unknown label "zzz"; known: card_arrival, exchange_rate, Refund_not_showing_up',
    );
  });

  it('does not take a name every object has for a label', () => {
    expect(labels.has('constructor')).toBe(false);
    expect(() => labels.id('__proto__')).toThrow(/unknown label/);
    expect(LabelMap.fromNames(['__proto__', 'x']).label2id).toEqual(
      Object.fromEntries([
        ['__proto__', 0],
        ['x', 1],
      ]),
    );
  });

  it.each([3, -1, 0.5, NaN])('refuses the id %d', (id) => {
    expect(() => labels.name(id, { row: 4 })).toThrow(/^row 4: there is no label .*: ids run from 0 to 2$/);
  });

  it.each([
    [[], /at least one label/],
    [['a', 'b', 'a'], /"a" is there twice, as 0 and as 2/],
    [['a', ' '], /label 1 must be a name/],
    [['a', 7 as unknown as string], /label 1 must be a name with letters in it, got 7/],
  ])('refuses the names %j', (names, message) => {
    expect(() => LabelMap.fromNames(names)).toThrow(message);
  });

  it.each([{ '0': 'a', '2': 'b' }, { '0': 'a', '1': 5 }, { '-1': 'a' }])('refuses the id2label %j', (id2label) => {
    expect(() => LabelMap.fromId2Label(id2label)).toThrow(/needs a name for the id/);
  });
});
