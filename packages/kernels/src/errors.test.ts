import { expect, it } from 'vitest';
import { KernelError } from './errors';

it('carries what it is about, and is told apart from other errors whichever build made it', () => {
  const cause = new Error('underneath');
  const error = new KernelError('BAD_SHAPE', 'what to do', { value: 3, place: 'here', cause });
  expect(error).toMatchObject({
    name: 'KernelError',
    message: 'what to do',
    code: 'BAD_SHAPE',
    value: 3,
    place: 'here',
    cause,
  });
  expect('cause' in new KernelError('BAD_SHAPE', 'alone')).toBe(false);
  const fromOtherBuild = Object.assign(new Error(), { [Symbol.for('@qlora-js/kernels/KernelError')]: true });
  expect([error, fromOtherBuild].map((value) => KernelError.isInstance(value))).toEqual([true, true]);
  expect([cause, { ...error }, undefined].map((value) => KernelError.isInstance(value))).toEqual([false, false, false]);
  expect(Object.keys(error)).not.toContain('@qlora-js/kernels/KernelError');
});
