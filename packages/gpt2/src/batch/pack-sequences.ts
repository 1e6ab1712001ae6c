import type { DecoderConfig } from '../model/decoder';
import { Gpt2Error } from '../errors';
import { checkTokenId, layoutToBatch, type BatchLayout, type TokenBatch } from './token-batch';

/**
 * Lays texts of any lengths end to end, each with positions from 0 on. A text's pooled row is its last one.
 *
 * @param sequences token ids of each text, at least one each
 * @throws Gpt2Error BAD_BATCH for an empty text, too long a text, an id outside the vocabulary
 */
export function packSequences(
  sequences: readonly ArrayLike<number>[],
  { nPositions, vocabSize }: DecoderConfig,
): TokenBatch {
  if (sequences.length === 0) throw new Gpt2Error('BAD_BATCH', 'a batch needs at least one text');
  const layout: BatchLayout = { ids: [], positions: [], sequences: [], pooledRows: [] };
  sequences.forEach((sequence, index) => {
    const { length } = sequence;
    if (length === 0) throw new Gpt2Error('BAD_BATCH', `text ${index} has no tokens: give it at least the bos token`);
    if (length > nPositions) {
      throw new Gpt2Error(
        'BAD_BATCH',
        `text ${index} has ${length} tokens, but the model has ${nPositions} positions: cut it`,
      );
    }
    const rowStart = layout.ids.length;
    for (let column = 0; column < length; column++) {
      const id = sequence[column]!;
      checkTokenId(id, vocabSize, `text ${index}, place ${column}`);
      layout.ids.push(id);
      layout.positions.push(column);
    }
    layout.sequences.push(rowStart, length, 0, length);
    layout.pooledRows.push(rowStart + length - 1);
  });
  return layoutToBatch(layout);
}
