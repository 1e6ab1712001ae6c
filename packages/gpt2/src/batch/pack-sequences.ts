import { tensor1d, tensor2d } from '@tensorflow/tfjs-core';
import type { Gpt2Config } from '../config/config';
import { Gpt2Error } from '../errors';
import type { TokenBatch } from './token-batch';

/**
 * Lays texts of any lengths end to end, each with positions from 0 on. A text's pooled row is its last one.
 *
 * @param sequences token ids of each text, at least one each
 * @throws Gpt2Error BAD_BATCH for an empty text, too long a text, an id outside the vocabulary
 */
export function packSequences(
  sequences: readonly ArrayLike<number>[],
  { nPositions, vocabSize }: Pick<Gpt2Config, 'nPositions' | 'vocabSize'>,
): TokenBatch {
  if (sequences.length === 0) throw new Gpt2Error('BAD_BATCH', 'a batch needs at least one text');
  const rows = sequences.reduce((sum, { length }) => sum + length, 0);
  const ids = new Int32Array(rows);
  const positions = new Int32Array(rows);
  const places = new Int32Array(4 * sequences.length);
  const lastRows = new Int32Array(sequences.length);
  let rowStart = 0;
  sequences.forEach((sequence, index) => {
    const { length } = sequence;
    if (length === 0) throw new Gpt2Error('BAD_BATCH', `text ${index} has no tokens: give it at least the bos token`);
    if (length > nPositions) {
      throw new Gpt2Error(
        'BAD_BATCH',
        `text ${index} has ${length} tokens, but the model has ${nPositions} positions: cut it`,
      );
    }
    for (let column = 0; column < length; column++) {
      const id = sequence[column]!;
      if (!(Number.isInteger(id) && id >= 0 && id < vocabSize)) {
        throw new Gpt2Error(
          'BAD_BATCH',
          `token id ${id} in text ${index}, place ${column} is outside the vocabulary of ${vocabSize}: the tokenizer is another model's`,
        );
      }
      ids[rowStart + column] = id;
      positions[rowStart + column] = column;
    }
    places.set([rowStart, length, 0, length], 4 * index);
    rowStart += length;
    lastRows[index] = rowStart - 1;
  });
  const tensors = {
    ids: tensor1d(ids, 'int32'),
    positions: tensor1d(positions, 'int32'),
    sequences: tensor2d(places, [sequences.length, 4], 'int32'),
    pooledRows: tensor1d(lastRows, 'int32'),
  };
  return {
    ...tensors,
    rows,
    batchSize: sequences.length,
    dispose: () => Object.values(tensors).forEach((tensor) => tensor.dispose()),
  };
}
