import { tensor1d, type Tensor } from '@tensorflow/tfjs-core';
import { bytesToInt32, int32ToBytes } from '@qlora-js/kernels';
import { sizeOf, type QuantizedArrays } from '../types';
import { QuantizedTensor, QuantState } from './quant-state';

/** Puts a 4-bit tensor on the current backend. */
export function toDevice(arrays: QuantizedArrays): QuantizedTensor {
  const { packed, absmax, code, shape, blocksize, quantType, dtype, offset, state2 } = arrays;
  const bytes = (values: Uint8Array) => tensor1d(bytesToInt32(values), 'int32');
  const state = new QuantState({
    absmax: absmax instanceof Uint8Array ? bytes(absmax) : tensor1d(absmax, 'float32'),
    code: tensor1d(code, 'float32'),
    offset: offset === undefined ? undefined : tensor1d([offset], 'float32'),
    state2:
      state2 === undefined
        ? undefined
        : {
            absmax: tensor1d(state2.absmax, 'float32'),
            code: tensor1d(state2.code, 'float32'),
            blocksize: state2.blocksize,
          },
    shape,
    blocksize,
    quantType,
    dtype,
  });
  return new QuantizedTensor(bytes(packed), state);
}

/** Reads a 4-bit tensor back, to save it. */
export async function toHost({ packed, state }: QuantizedTensor): Promise<QuantizedArrays> {
  const { shape, blocksize, quantType, dtype, offset, state2 } = state;
  const size = sizeOf(shape);
  const floats = async (tensor: Tensor) => (await tensor.data<'float32'>()).slice();
  const bytes = async (tensor: Tensor, count: number) => int32ToBytes((await tensor.data<'int32'>()).slice(), count);
  const common = {
    packed: await bytes(packed, Math.ceil(size / 2)),
    code: await floats(state.code),
    shape,
    blocksize,
    quantType,
    dtype,
  };
  if (state2 === undefined || offset === undefined) return { ...common, absmax: await floats(state.absmax) };
  return {
    ...common,
    absmax: await bytes(state.absmax, Math.ceil(size / blocksize)),
    offset: (await offset.data())[0]!,
    state2: {
      absmax: await floats(state2.absmax),
      code: await floats(state2.code),
      blocksize: state2.blocksize,
    },
  };
}
