import { expect, it } from 'vitest';
import { chooseWideVariant } from './variants';

const tileOf = (rows: number, columns: number, depth: number, weightRow = depth): string | undefined => {
  const variant = chooseWideVariant({ rows, columns, depth }, weightRow);
  return variant && `${variant.tile.tileRows}x${variant.tile.tileColumns} / ${variant.splits}`;
};

it('takes the large tile where it keeps the device busy, and shares the depth of the small one where nothing does', () => {
  expect(tileOf(8192, 4096, 1024)).toBe('128x64 / 1');
  expect(tileOf(2048, 1024, 1024)).toBe('128x64 / 2');
  expect(tileOf(384, 1024, 1024)).toBe('64x64 / 4');
  expect(tileOf(384, 1024, 4096)).toBe('64x64 / 8');
});

it('leaves few rows, part vectors, part words and part tiles of the depth to the other tiles', () => {
  expect(tileOf(16, 1024, 1024)).toBeUndefined();
  expect(tileOf(64, 66, 64)).toBeUndefined();
  expect(tileOf(64, 64, 72)).toBeUndefined();
  expect(tileOf(64, 64, 64, 68)).toBeUndefined();
});
