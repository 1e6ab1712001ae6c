import { expect, it } from 'vitest';
import { Gpt2Error } from './errors';

it('carries what it is about, and is told apart from other errors whichever build made it', () => {
  const cause = new Error('underneath');
  const error = new Gpt2Error('BAD_BATCH', 'what to do', { value: 3, place: 'here', cause });
  expect(error).toMatchObject({
    name: 'Gpt2Error',
    message: 'what to do',
    code: 'BAD_BATCH',
    value: 3,
    place: 'here',
    cause,
  });
  expect('cause' in new Gpt2Error('BAD_BATCH', 'alone')).toBe(false);
  const fromOtherBuild = Object.assign(new Error(), { [Symbol.for('@qlora-js/gpt2/Gpt2Error')]: true });
  expect([error, fromOtherBuild].map((value) => Gpt2Error.isInstance(value))).toEqual([true, true]);
  expect([cause, { ...error }, undefined].map((value) => Gpt2Error.isInstance(value))).toEqual([false, false, false]);
  expect(Object.keys(error)).not.toContain('@qlora-js/gpt2/Gpt2Error');
});
