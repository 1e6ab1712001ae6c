import { expect, it } from 'vitest';
import { bufferSource } from '../files/byte-source';
import { openGguf } from './open';
import { serializeGguf } from './serialize';

const tensor = (name: string, values: readonly number[], shape: readonly number[]) => ({
  name,
  dtype: 'F32' as const,
  shape: [...shape],
  bytes: new Uint8Array(Float32Array.from(values).buffer),
});

it('writes what the reader of this package reads: values, shapes, metadata', async () => {
  const tensors = [tensor('a.weight', [1, 2, 3, 4, 5, 6], [2, 3]), tensor('b', [7], [1])];
  const bytes = serializeGguf(tensors, { 'general.architecture': 'ä', count: { uint32: 7 }, alpha: { float32: 0.5 } });
  expect(bytes.length % 32).toBe(0);
  const file = await openGguf(bufferSource(bytes, 'x.gguf'));
  expect([...file.metadata]).toEqual([
    ['general.architecture', 'ä'],
    ['count', 7],
    ['alpha', 0.5],
  ]);
  for (const { name, shape, bytes: own } of tensors) {
    const read = await file.read(name);
    expect([read.dtype, read.shape, read.bytes]).toEqual(['F32', shape, own]);
  }
});

it('refuses types that it does not write', () => {
  const odd = { ...tensor('odd', [1], [1]), dtype: 'I32' as const };
  expect(() => serializeGguf([odd], {})).toThrow(/odd is I32/);
});
