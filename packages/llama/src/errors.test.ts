import { expect, it } from 'vitest';
import { LlamaError } from './errors';

it('carries what it is about, and is told apart from other errors whichever build made it', () => {
  const cause = new Error('underneath');
  const error = new LlamaError('BAD_CONFIG', 'what to do', { value: 3, place: 'here', cause });
  expect(error).toMatchObject({
    name: 'LlamaError',
    message: 'what to do',
    code: 'BAD_CONFIG',
    value: 3,
    place: 'here',
    cause,
  });
  expect('cause' in new LlamaError('BAD_CONFIG', 'alone')).toBe(false);
  const fromOtherBuild = Object.assign(new Error(), { [Symbol.for('@qlora-js/llama/LlamaError')]: true });
  expect([error, fromOtherBuild].map((value) => LlamaError.isInstance(value))).toEqual([true, true]);
  expect([cause, { ...error }, undefined].map((value) => LlamaError.isInstance(value))).toEqual([false, false, false]);
  expect(Object.keys(error)).not.toContain('@qlora-js/llama/LlamaError');
});
