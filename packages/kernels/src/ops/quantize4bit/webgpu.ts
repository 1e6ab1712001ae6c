// Idea: a block stays in its workgroup from its absmax to its codes.
// Cost: 4.5 bytes a weight, 4 a block, and 15 comparisons a weight.

import { util } from '@tensorflow/tfjs-core';
import type { WebgpuKernel } from '../../engine/op';
import { quantTypeBounds, type QuantType } from '../../formats/codes';
import { dispatch, makeOutput } from '../../webgpu/dispatch';
import { shaderVariants, spread, WORKGROUP_INDEX, WORKGROUP_PARAMETERS } from '../../webgpu/shader';
import { layout } from '../../webgpu/layout';
import { int32Count } from '../../tfjs/bytes';
import { BLOCK_ABSMAX } from '../../blocks/absmax-wgsl';
import { exactLiteral } from '../../webgpu/constants';
import type { Packed4bit, Quantize4bitAttributes, Quantize4bitInputs } from './types';

const THREADS = 32;

/** WGSL: `codeOf(scaled)`, by counting the bounds below; the order of FP4's codes is in nibbles of two words. */
function codeFunction(quantType: QuantType): string {
  const { bounds, order } = quantTypeBounds(quantType);
  const nibbles = (from: number) =>
    [...order.subarray(from, from + 8)].reduce((word, code, i) => word + code * 16 ** i, 0);
  return /* wgsl */ `
fn codeOf(scaled: f32) -> u32 {
  let level = ${[...bounds].map((bound) => `u32(scaled > ${exactLiteral(bound)})`).join('\n    + ')};
  return (select(${nibbles(0)}u, ${nibbles(8)}u, level >= 8u) >> ((level & 7u) * 4u)) & 15u;
}
`;
}

/**
 * A workgroup a block: absmax by all threads, then a word of eight codes a thread at a time. A short last block
 * divides by its absmax, as bitsandbytes' default backend does, where a whole one multiplies by the reciprocal.
 */
const shader = shaderVariants('quantize4bit', ({ quantType }: { quantType: QuantType }) => {
  const io = layout({
    uniforms: { size: 'u32', blocks: 'u32', blocksize: 'u32' },
    buffers: { x: 'read array<f32>', packed: 'write array<u32>', absmax: 'write array<f32>' },
  });
  return {
    layout: io,
    code: /* wgsl */ `
const THREADS = ${THREADS}u;
${io.wgsl}
${BLOCK_ABSMAX}
${codeFunction(quantType)}

@compute @workgroup_size(THREADS)
fn main(${WORKGROUP_PARAMETERS}) {
  let block = ${WORKGROUP_INDEX};
  if (block >= uniforms.blocks) { return; }
  let first = block * uniforms.blocksize;
  let end = min(first + uniforms.blocksize, uniforms.size);
  let whole = end - first == uniforms.blocksize;
  let bits = blockAbsmaxBits(first, end, lane);
  let divisor = max(bits, MIN_ABSMAX_BITS);
  if (lane == 0u) { absmax[block] = bitcast<f32>(select(divisor, bits, whole)); }
  let reciprocal = divideExactly(ONE_BITS, divisor);
  for (var i = first + lane * 8u; i < end; i += THREADS * 8u) {
    var word = 0u;
    // An odd end is padded with a zero.
    for (var e = 0u; e < min(8u, (end - i + 1u) & 0xfffffffeu); e++) {
      var scaled = 0.0;
      if (i + e < end) {
        let value = x[i + e];
        if (whole) {
          scaled = clamp(value * reciprocal, -1.0, 1.0);
        } else {
          let magnitude = divideExactly(bitcast<u32>(value) & 0x7fffffffu, divisor);
          scaled = select(magnitude, -magnitude, value < 0.0);
        }
      }
      word |= codeOf(scaled) << ((e >> 1u) * 8u + 4u - (e & 1u) * 4u);
    }
    packed[i >> 3u] = word;
  }
}`,
  };
});

export const webgpuQuantize4bit: WebgpuKernel<Quantize4bitInputs, Quantize4bitAttributes, Packed4bit> = (
  { x },
  { quantType, blocksize },
  backend,
) => {
  const size = util.sizeFromShape(x.shape);
  const blocks = Math.ceil(size / blocksize);
  const packed = makeOutput(backend, [int32Count(Math.ceil(size / 2))], 'int32');
  const absmax = makeOutput(backend, [blocks]);
  dispatch(backend, {
    shader: shader({ quantType }),
    buffers: { x, packed, absmax },
    uniforms: { size, blocks, blocksize },
    workgroups: spread(blocks),
  });
  return { packed, absmax };
};
