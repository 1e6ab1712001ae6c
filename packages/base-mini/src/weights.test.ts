import { describe, expect, it } from 'vitest';
import { withFigures, type Figures } from '../../../tools/base-mini/card';
import { tokenLossOf } from '../../../tools/base-mini/measure';
import { quantiseFolder, storedTensors } from '../../../tools/base-mini/quantise';
import { SENTENCES } from '../../../tools/base-mini/sentences';
import { goldenPath } from '../../../tools/test/golden';
import { GoldenTensors } from '../../../tools/test/safetensors';
import { baseMiniFiles } from './files';

const files = await baseMiniFiles();
const figures = (await files.json('quantisation.json')) as Figures;

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

describe('quantiseFolder, which made the weights', () => {
  it("gives a base's blocks the bytes of Python's bitsandbytes, and its embedding 4 bits as well", async () => {
    const made = await quantiseFolder(goldenPath('training/base'));
    const python = new GoldenTensors(goldenPath('training/base-nf4/model.safetensors'));
    const blocks = made.filter(({ name }) => /\.h\.\d+\..*\.c_\w+\.weight/.test(name));
    // 4 matrices in each of 2 blocks: codes, absmax, nested absmax, two tables, the state.
    expect(blocks).toHaveLength(2 * 4 * 6);
    for (const { name, bytes } of blocks) expect(Buffer.compare(bytes, python.bytes(name)), name).toBe(0);
    expect(made.filter(({ name }) => name.startsWith('transformer.wte.weight'))).toHaveLength(6);
  });

  it('left the embedded base the same parts: 4 bits in every block and in the embedding', async () => {
    const stored = await storedTensors(files);
    expect(stored.filter(({ name }) => /\.h\.\d+\..*\.c_\w+\.weight/.test(name))).toHaveLength(6 * 4 * 6);
    expect(stored.filter(({ name }) => name.startsWith('transformer.wte.weight'))).toHaveLength(6);
  });
});
