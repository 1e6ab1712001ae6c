import { util, type Tensor, type Tensor1D } from '@tensorflow/tfjs-core';
import { checkShape, checkTensor } from '../../engine/check';
import { defineOp } from '../../engine/op';
import { composePackHalf, composeUnpackHalf } from './compose';
import { wordsOf, type PackHalfInputs, type UnpackHalfAttributes, type UnpackHalfInputs } from './types';
import { webgpuPackHalf, webgpuUnpackHalf } from './webgpu';

const pack = defineOp<PackHalfInputs, object>({ name: 'QPackHalf', compose: composePackHalf, webgpu: webgpuPackHalf });
const unpack = defineOp<UnpackHalfInputs, UnpackHalfAttributes>({
  name: 'QUnpackHalf',
  compose: composeUnpackHalf,
  webgpu: webgpuUnpackHalf,
});

/**
 * Float16 of each value (nearest, ties to even; beyond 65504, that), two a word, the first in the low half. tfjs has no
 * float16: half the memory for what waits. No gradient.
 *
 * @param x float32 of any shape
 * @returns int32 [ceil(size / 2)]
 */
export function packHalf(x: Tensor): Tensor1D {
  checkTensor('packHalf', 'x', x, x.rank, 'float32');
  return pack({ x }, {}) as Tensor1D;
}

/**
 * The values that `packHalf` packed.
 *
 * @param halves int32 [ceil(size / 2)]
 * @param shape of the result, float32
 */
export function unpackHalf(halves: Tensor1D, shape: readonly number[]): Tensor {
  checkTensor('unpackHalf', 'halves', halves, 1, 'int32');
  checkShape('unpackHalf', 'halves', halves, [wordsOf(util.sizeFromShape([...shape]))]);
  return unpack({ halves }, { shape });
}
