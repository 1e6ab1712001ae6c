import { expect, it } from 'vitest';
import { DataError, shown } from './errors';

it('is known by its marker, whichever build made it', () => {
  const error = new DataError('EMPTY_TEXT', 'row 3: the text is empty', '');
  expect(DataError.isInstance(error)).toBe(true);
  const foreign = Object.defineProperty(new Error('x'), Symbol.for('@qlora-js/data/DataError'), { value: true });
  expect(DataError.isInstance(foreign)).toBe(true);
  expect([new Error('x'), { code: 'EMPTY_TEXT' }, undefined].map((value) => DataError.isInstance(value))).toEqual([
    false,
    false,
    false,
  ]);
  expect(error).toMatchObject({ code: 'EMPTY_TEXT', value: '', name: 'DataError' });
});

it('shows a huge value cut', () => {
  expect(shown('a'.repeat(1000))).toBe(`"${'a'.repeat(79)}... (1002 characters)`);
});
