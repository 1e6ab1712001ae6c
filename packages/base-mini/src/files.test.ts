import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { baseMiniFiles } from './files';

const files = await baseMiniFiles();

describe('the files', () => {
  it('hold weights of at most 12 MB, those that were measured', async () => {
    const source = await files.open('model.safetensors');
    const { file } = (await files.json('quantisation.json')) as { file: { bytes: number; sha256: string } };
    expect(source.size).toBeLessThanOrEqual(12_000_000);
    expect(source.size).toBe(file.bytes);
    const bytes = await source.read(0, source.size);
    expect(createHash('sha256').update(bytes).digest('hex')).toBe(file.sha256);
  });

  it('are those a loader asks for, and no others', async () => {
    expect(await files.has('config.json')).toBe(true);
    expect(await files.has('pytorch_model.bin')).toBe(false);
    expect(await files.has('constructor')).toBe(false);
    expect(await files.json('config.json')).toMatchObject({ model_type: 'gpt2', n_embd: 256, n_layer: 6 });
    expect((await files.text('merges.txt')).startsWith('#version')).toBe(true);
    const error = await files.open('../package.json').catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ name: 'BaseMiniError', code: 'NO_SUCH_FILE' });
    expect(String(error)).toContain('../package.json');
  });

  it('are read in ranges, none outside the file', async () => {
    const source = await files.open('config.json');
    expect(new TextDecoder().decode(await source.read(0, 1))).toBe('{');
    // A Buffer would share memory in slice(), where readers of tensors expect a copy.
    expect(Object.getPrototypeOf(await source.read(0, 1))).toBe(Uint8Array.prototype);
    for (const [offset, length] of [
      [source.size - 1, 2],
      [-1, 1],
      [0.5, 1],
      [0, NaN],
    ] as const) {
      await expect(source.read(offset, length)).rejects.toMatchObject({ code: 'OUT_OF_RANGE' });
    }
  });
});
