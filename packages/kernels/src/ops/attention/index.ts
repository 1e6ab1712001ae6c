import type { Tensor2D } from '@tensorflow/tfjs-core';
import { checkShape, checkTensor } from '../../engine/check';
import { defineOp } from '../../engine/op';
import { KernelError } from '../../errors';
import { checkDropout } from '../dropout';
import { knownValues } from '../../tfjs/host-values';
import { composeAttention } from './compose';
import { attentionGradient } from './gradient';
import { SEQUENCE_FIELDS, readSequences } from './sequences';
import type { AttentionAttributes, AttentionInputs, AttentionOptions, AttentionOutputs } from './types';
import { wasmAttention } from './wasm';
import { webgpuAttention } from './webgpu';

export type { AttentionOptions } from './types';

const run = defineOp<AttentionInputs, AttentionAttributes, AttentionOutputs>({
  name: 'QAttention',
  compose: composeAttention,
  wasm: wasmAttention,
  webgpu: webgpuAttention,
  gradient: attentionGradient,
});

/**
 * Causal multi-head self-attention within sequences of rows, out of the packed projections that GPT-2's c_attn makes:
 * y = dropout(softmax(q kᵀ scale)) v; under grouped-query attention neighbouring heads of q share one of k and v.
 * Query i of a sequence attends to the keys keyStart <= j <= min(i, keyEnd - 1),
 * counted from the sequence's first row; a query without keys, and a row in no sequence, gives zeros. The score
 * matrix is never written on webgpu (Dao et al. 2022, FlashAttention); the backward pass computes it again.
 *
 * Probability (row, head, j) is dropped by element head * keyStride + j of its row in the dropout's stream, so the mask
 * is the same on every backend, and wherever the sequence lies.
 *
 * @param qkv [M, (heads + 2 keyValueHeads) * headSize] float32: q, k and v beside each other, each heads by head size
 * @param sequences [S, 4] int32: rowStart, rowCount, keyStart, keyEnd; no row in two of them
 * @returns [M, heads * headSize]
 * @throws KernelError BAD_ARGUMENT for sequences outside the rows or over each other, where the host has them
 */
export function attention(qkv: Tensor2D, sequences: Tensor2D, options: AttentionOptions): Tensor2D {
  const { heads, keyValueHeads = heads, scale, keyStride, dropout } = options;
  checkTensor('attention', 'qkv', qkv, 2, 'float32');
  checkTensor('attention', 'sequences', sequences, 2, 'int32');
  checkShape('attention', 'sequences', sequences, [undefined, SEQUENCE_FIELDS]);
  const whole = [heads, keyValueHeads].every((count) => Number.isInteger(count) && count >= 1);
  if (!whole || heads % keyValueHeads !== 0) {
    throw new KernelError(
      'BAD_ARGUMENT',
      `attention: ${heads} heads cannot share ${keyValueHeads} heads of keys and values evenly`,
    );
  }
  if (qkv.shape[1] % (heads + 2 * keyValueHeads) !== 0) {
    const shared = keyValueHeads === heads ? '' : ` and ${keyValueHeads} of keys and values`;
    throw new KernelError(
      'BAD_SHAPE',
      `attention: qkv has ${qkv.shape[1]} columns, which ${heads} heads${shared} do not divide into q, k and v`,
    );
  }
  if (!Number.isInteger(keyStride) || keyStride < 1) {
    throw new KernelError('BAD_ARGUMENT', `attention: keyStride ${keyStride} is not a positive integer`);
  }
  if (!Number.isFinite(scale)) throw new KernelError('BAD_ARGUMENT', `attention: scale ${scale} is not finite`);
  const known = knownValues(sequences);
  if (known !== undefined) readSequences(known, qkv.shape[0], keyStride);
  if (dropout !== undefined && heads * keyStride > 2 ** 32) {
    throw new KernelError(
      'BAD_ARGUMENT',
      `attention: ${heads} heads x keyStride ${keyStride} is more than the 2^32 elements of a row that a dropout can number`,
    );
  }
  const { rate, site } =
    dropout === undefined ? { rate: 0, site: 0 } : checkDropout('attention', dropout, qkv.shape[0]);
  return run({ qkv, sequences, random: dropout?.random }, { heads, keyValueHeads, scale, keyStride, rate, site })
    .y as Tensor2D;
}
