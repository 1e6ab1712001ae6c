import type { WasmKernel } from '../../engine/op';
import type { InfoOf } from '../../engine/tensors';
import type { WasmContext } from '../../wasm/context';
import { wasmDropoutArguments } from '../../wasm/dropout';
import { SEQUENCE_FIELDS } from './sequences';
import {
  headSizeOf,
  type AttentionAttributes,
  type AttentionBackwardInputs,
  type AttentionInputs,
  type AttentionOutputs,
} from './types';

/** What both kernels take between the tensors: the sequences, the heads, the scale and the dropout. */
function shared(
  { qkv, sequences, random }: InfoOf<AttentionInputs>,
  attributes: AttentionAttributes,
  wasm: WasmContext,
) {
  const { heads, keyValueHeads, scale, keyStride } = attributes;
  const [rows = 0, width = 0] = qkv.shape;
  const headSize = headSizeOf(width, attributes);
  const values = wasm.backend.readSync(sequences.dataId) as Int32Array;
  let longest = 0;
  for (let s = 1; s < values.length; s += SEQUENCE_FIELDS) longest = Math.max(longest, values[s]!);
  const dropout = wasmDropoutArguments(random, attributes, wasm);
  return {
    longest,
    headSize,
    numbers: {
      ...dropout,
      ...{ heads, keyHeads: keyValueHeads, headDim: headSize, scale, keyStride },
      sequences: wasm.pointer(sequences),
      numSequences: values.length / SEQUENCE_FIELDS,
      qkv: wasm.pointer(qkv),
      rows,
    },
  };
}

export const wasmAttention: WasmKernel<AttentionInputs, AttentionAttributes, AttentionOutputs> = (
  inputs,
  attributes,
  wasm,
) => {
  const { qkv } = inputs;
  const rows = qkv.shape[0] ?? 0;
  const { longest, headSize, numbers } = shared(inputs, attributes, wasm);
  const y = wasm.output([rows, attributes.heads * headSize]);
  const lse = wasm.output([rows, attributes.heads]);
  const scratch = wasm.kernels.scratch(wasm.kernels.attentionScratchBytes(longest, headSize));
  wasm.call.attention({ ...numbers, out: wasm.pointer(y), lse: wasm.pointer(lse), scratch });
  return { y, lse };
};

export const wasmAttentionBackward: WasmKernel<AttentionBackwardInputs, AttentionAttributes> = (
  inputs,
  attributes,
  wasm,
) => {
  const { dy, qkv, y, lse } = inputs;
  const [rows = 0, width = 0] = qkv.shape;
  const { longest, headSize, numbers } = shared(inputs, attributes, wasm);
  const dqkv = wasm.output([rows, width]);
  const scratch = wasm.kernels.scratch(wasm.kernels.attentionBackwardScratchBytes(longest, headSize));
  wasm.call.attentionBackward({
    ...numbers,
    ...{ dout: wasm.pointer(dy), out: wasm.pointer(y), lse: wasm.pointer(lse) },
    ...{ dqkv: wasm.pointer(dqkv), scratch },
  });
  return dqkv;
};
