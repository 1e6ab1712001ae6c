import { expect, it } from 'vitest';
import { MetricsError } from './errors';

it('carries what it is about, and is told apart from other errors whichever build made it', () => {
  const cause = new Error('underneath');
  const error = new MetricsError('EMPTY', 'what to do', { value: 3, place: 'here', cause });
  expect(error).toMatchObject({
    name: 'MetricsError',
    message: 'what to do',
    code: 'EMPTY',
    value: 3,
    place: 'here',
    cause,
  });
  expect('cause' in new MetricsError('EMPTY', 'alone')).toBe(false);
  const fromOtherBuild = Object.assign(new Error(), { [Symbol.for('@qlora-js/metrics/MetricsError')]: true });
  expect([error, fromOtherBuild].map((value) => MetricsError.isInstance(value))).toEqual([true, true]);
  expect([cause, { ...error }, undefined].map((value) => MetricsError.isInstance(value))).toEqual([
    false,
    false,
    false,
  ]);
  expect(Object.keys(error)).not.toContain('@qlora-js/metrics/MetricsError');
});
