import { add, gather, tensor2d, type Tensor, type Tensor1D } from '@tensorflow/tfjs-core';
import { hostValues } from '../../tfjs/host-values';
import { unpackHalves } from '../../formats/half';
import type { EmbeddingInputs } from './types';

export function composeEmbedding({ ids, positions, tokenTable, positionTable }: EmbeddingInputs): Tensor {
  const rows = gather(tokenTable, ids as Tensor1D);
  const tokens = tokenTable.dtype === 'int32' ? unpacked(rows) : rows;
  return positionTable === undefined ? tokens : add(tokens, gather(positionTable, positions as Tensor1D));
}

/** Rows of packed float16 as float32, on the host: tfjs has no cast from bits. */
function unpacked(rows: Tensor): Tensor {
  const [count = 0, words = 0] = rows.shape;
  return tensor2d(unpackHalves(hostValues(rows), count * words * 2), [count, words * 2]);
}
