import type { Tensor, Tensor1D, Tensor2D } from '@tensorflow/tfjs-core';
import { tokenBatchOf, type BatchLayout, type TokenBatch } from '@qlora-js/gpt2';
import { randomWords, type ForwardContext, type RandomPosition } from '@qlora-js/kernels';
import type { HostInput } from './trainable-model';

/** Values as an int32 input, flat unless a shape is given. */
export function int32Input(values: ArrayLike<number>, shape: readonly number[] = [values.length]): HostInput {
  return { values: Int32Array.from(values), shape, dtype: 'int32' };
}

/**
 * The inputs of a batch's tokens, and of its dropout where it is trained on.
 *
 * @param after rows that go on after the last attention
 */
export function tokenInputs(
  { ids, positions, sequences, pooledRows, numbers }: BatchLayout,
  random: RandomPosition | undefined,
  after: readonly number[],
): Record<string, HostInput> {
  const state = (rows: readonly number[]): HostInput => int32Input(randomWords(random!, rows));
  return {
    ids: int32Input(ids),
    positions: int32Input(positions),
    sequences: int32Input(sequences, [pooledRows.length, 4]),
    pooledRows: int32Input(pooledRows),
    ...(random === undefined ? {} : { random: state(numbers), randomAfter: state(after.map((row) => numbers[row]!)) }),
  };
}

/** A batch's tokens and what its dropout draws from. */
export interface TrainedTokens {
  readonly tokens: TokenBatch;
  /** The context of a pass over them. */
  contextOf(context: ForwardContext): ForwardContext;
  dispose(): void;
}

/** The tokens on tensors of those names. */
export function tokensOf(tensors: Readonly<Record<string, Tensor>>): TrainedTokens {
  const tokens = tokenBatchOf({
    ids: tensors['ids'] as Tensor1D,
    positions: tensors['positions'] as Tensor1D,
    sequences: tensors['sequences'] as Tensor2D,
    pooledRows: tensors['pooledRows'] as Tensor1D,
  });
  const states = {
    random: tensors['random'] as Tensor1D | undefined,
    randomAfter: tensors['randomAfter'] as Tensor1D | undefined,
  };
  return {
    tokens,
    contextOf: (context) => ({ ...context, ...states }),
    dispose: () => {
      tokens.dispose();
      for (const state of Object.values(states)) state?.dispose();
    },
  };
}
