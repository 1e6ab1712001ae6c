import { expect, it } from 'vitest';
import { BaseMiniError } from './errors';

it('carries what it is about, and is told apart from other errors whichever build made it', () => {
  const cause = new Error('underneath');
  const error = new BaseMiniError('UNREADABLE', 'what to do', { value: 3, place: 'here', cause });
  expect(error).toMatchObject({
    name: 'BaseMiniError',
    message: 'what to do',
    code: 'UNREADABLE',
    value: 3,
    place: 'here',
    cause,
  });
  expect('cause' in new BaseMiniError('UNREADABLE', 'alone')).toBe(false);
  const fromOtherBuild = Object.assign(new Error(), { [Symbol.for('@qlora-js/base-mini/BaseMiniError')]: true });
  expect([error, fromOtherBuild].map((value) => BaseMiniError.isInstance(value))).toEqual([true, true]);
  expect([cause, { ...error }, undefined].map((value) => BaseMiniError.isInstance(value))).toEqual([
    false,
    false,
    false,
  ]);
  expect(Object.keys(error)).not.toContain('@qlora-js/base-mini/BaseMiniError');
});
