import { expect, it } from 'vitest';
import { OptimError } from './errors';

it('carries what it is about, and is told apart from other errors whichever build made it', () => {
  const cause = new Error('underneath');
  const error = new OptimError('DISPOSED', 'what to do', { value: 3, place: 'here', cause });
  expect(error).toMatchObject({
    name: 'OptimError',
    message: 'what to do',
    code: 'DISPOSED',
    value: 3,
    place: 'here',
    cause,
  });
  expect('cause' in new OptimError('DISPOSED', 'alone')).toBe(false);
  const fromOtherBuild = Object.assign(new Error(), { [Symbol.for('@qlora-js/optim/OptimError')]: true });
  expect([error, fromOtherBuild].map((value) => OptimError.isInstance(value))).toEqual([true, true]);
  expect([cause, { ...error }, undefined].map((value) => OptimError.isInstance(value))).toEqual([false, false, false]);
  expect(Object.keys(error)).not.toContain('@qlora-js/optim/OptimError');
});
