import { describe, expect, it } from 'vitest';
import { withFigures, type Figures } from '../../../tools/base-mini/card';
import { tokenLossOf } from '../../../tools/base-mini/measure';
import { quantiseFolder, storedTensors } from '../../../tools/base-mini/quantise';
import { SENTENCES } from '../../../tools/base-mini/sentences';
import { besideFixtures, fixturesFolder } from '../../../tools/test/fixtures';
import { GoldenTensors } from '../../../tools/test/safetensors';
import { baseMiniFiles } from './files';

const files = await baseMiniFiles();
const figures = (await files.json('quantisation.json')) as Figures;
const base = besideFixtures('mini');

describe('what 4 bits cost', () => {
  it('is what the card says, on the sentences that were measured', async () => {
    const { loss, tokens } = await tokenLossOf(files, SENTENCES);
    expect(tokens).toBe(figures.sentences.tokens);
    expect(Math.abs(loss - figures.sentences.blocksAndEmbeddingIn4Bit)).toBeLessThan(1e-4);
  });

  it('is less than a fiftieth of a nat a token on the held-out texts', () => {
    const { float16, blocksAndEmbeddingIn4Bit, tokens } = figures.heldOut;
    expect(tokens).toBeGreaterThan(30_000);
    expect(blocksAndEmbeddingIn4Bit - float16).toBeLessThan(0.02);
  });

  it('stands on the card as it was measured', async () => {
    const card = await files.text('README.md');
    expect(withFigures(card, figures)).toBe(card);
    for (const licence of ['CC BY-SA 4.0', 'CDLA-Sharing-1.0', 'CC BY 3.0', 'CC0', 'public domain', 'CC BY 4.0']) {
      expect(card).toContain(licence);
    }
  });
});

describe.skipIf(base === undefined)('the base it was made from', () => {
  it('gives the same bytes when quantised again', async () => {
    const again = new Map((await quantiseFolder(base!)).map((tensor) => [tensor.name, tensor]));
    const stored = await storedTensors(files);
    expect(stored.map(({ name }) => name).sort()).toEqual([...again.keys()].sort());
    for (const tensor of stored) {
      const { dtype, shape, bytes } = again.get(tensor.name)!;
      expect([tensor.name, tensor.dtype, tensor.shape]).toEqual([tensor.name, dtype, shape]);
      expect(Buffer.compare(tensor.bytes, bytes), tensor.name).toBe(0);
    }
  });

  it.skipIf(fixturesFolder === undefined)("has blocks with the bytes of Python's bitsandbytes", async () => {
    const python = new GoldenTensors(`${fixturesFolder}/mini-nf4-bnb/model.safetensors`);
    const blocks = (await storedTensors(files)).filter(({ name }) => /\.h\.\d+\..*\.c_\w+\.weight/.test(name));
    // 4 matrices in each of 6 blocks: codes, absmax, nested absmax, two tables, the state.
    expect(blocks).toHaveLength(6 * 4 * 6);
    for (const { name, bytes } of blocks) expect(Buffer.compare(bytes, python.bytes(name)), name).toBe(0);
  });
});
