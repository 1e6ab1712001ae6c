import { expect, it } from 'vitest';
import { QuantError } from './errors';

it('carries what it is about, and is told apart from other errors whichever build made it', () => {
  const cause = new Error('underneath');
  const error = new QuantError('FROZEN', 'what to do', { value: 3, place: 'here', cause });
  expect(error).toMatchObject({
    name: 'QuantError',
    message: 'what to do',
    code: 'FROZEN',
    value: 3,
    place: 'here',
    cause,
  });
  expect('cause' in new QuantError('FROZEN', 'alone')).toBe(false);
  const fromOtherBuild = Object.assign(new Error(), { [Symbol.for('@qlora-js/quant/QuantError')]: true });
  expect([error, fromOtherBuild].map((value) => QuantError.isInstance(value))).toEqual([true, true]);
  expect([cause, { ...error }, undefined].map((value) => QuantError.isInstance(value))).toEqual([false, false, false]);
  expect(Object.keys(error)).not.toContain('@qlora-js/quant/QuantError');
});
