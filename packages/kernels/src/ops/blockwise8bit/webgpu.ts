// Idea: a block of values stays in its workgroup from its absmax to its codes.
// Cost: 5 bytes an element, 4 a block, and a search of 8 steps an element; back a look into a table.

import { util } from '@tensorflow/tfjs-core';
import type { WebgpuKernel } from '../../engine/op';
import { dispatch, makeOutput } from '../../webgpu/dispatch';
import { shaderVariants, spread, WORKGROUP_INDEX, WORKGROUP_PARAMETERS } from '../../webgpu/shader';
import { layout } from '../../webgpu/layout';
import { int32Count } from '../../tfjs/bytes';
import { blockwiseBounds, GRID_STEPS, type Nearest } from '../../formats/nearest';
import type { Blockwise8bit, QuantizeBlockwiseInputs } from './types';
import type {
  DequantizeBlockwiseAttributes,
  DequantizeBlockwiseInputs,
  QuantizeBlockwiseAttributes,
} from '../../blocks/types';
import { BLOCK_ABSMAX } from '../../blocks/absmax-wgsl';

const THREADS = 64;

/**
 * A workgroup a block: absmax by all threads, then a word of four codes a thread at a time, each by binary search of
 * the bounds. For `grid` the searched value is the step; xor with a zero that only the uniforms know keeps compilers
 * from fusing the product and the sum that give it.
 */
const quantizeShader = shaderVariants('quantizeBlockwise', ({ nearest }: { nearest: Nearest }) => {
  const io = layout({
    uniforms: { size: 'u32', blocks: 'u32', blocksize: 'u32', zero: 'u32', bounds: 'array<vec4f, 64>' },
    buffers: { x: 'read array<f32>', quantized: 'write array<u32>', absmax: 'write array<f32>' },
  });
  return {
    layout: io,
    code: /* wgsl */ `
const THREADS = ${THREADS}u;
${io.wgsl}
${BLOCK_ABSMAX}
fn opaque(value: f32) -> f32 { return bitcast<f32>(bitcast<u32>(value) ^ uniforms.zero); }

fn codeOf(scaled: f32) -> u32 {
  ${
    nearest === 'grid'
      ? `let searched = trunc(opaque(opaque(scaled + 1.0) * 0.5 * ${GRID_STEPS - 1}.0) + 0.5);`
      : 'let searched = scaled;'
  }
  var low = 0u;
  var high = 255u;
  while (low < high) {
    let middle = (low + high) >> 1u;
    if (uniforms.bounds[middle >> 2u][middle & 3u] < searched) { low = middle + 1u; } else { high = middle; }
  }
  return low;
}

@compute @workgroup_size(THREADS)
fn main(${WORKGROUP_PARAMETERS}) {
  let block = ${WORKGROUP_INDEX};
  if (block >= uniforms.blocks) { return; }
  let first = block * uniforms.blocksize;
  let end = min(first + uniforms.blocksize, uniforms.size);
  let bits = blockAbsmaxBits(first, end, lane);
  if (lane == 0u) { absmax[block] = bitcast<f32>(bits); }
  let reciprocal = divideExactly(ONE_BITS, max(bits, MIN_ABSMAX_BITS));
  for (var i = first + lane * 4u; i < end; i += THREADS * 4u) {
    var word = 0u;
    for (var e = 0u; e < min(4u, end - i); e++) {
      let code = codeOf(clamp(opaque(x[i + e] * reciprocal), -1.0, 1.0));
      word |= ${nearest === 'grid' ? 'select(code, 0u, bits == 0u)' : 'code'} << (e * 8u);
    }
    quantized[i >> 2u] = word;
  }
}`,
  };
});

export const webgpuQuantizeBlockwise: WebgpuKernel<
  QuantizeBlockwiseInputs,
  QuantizeBlockwiseAttributes,
  Blockwise8bit
> = ({ x }, { code, blocksize, nearest }, backend) => {
  const size = util.sizeFromShape(x.shape);
  const blocks = Math.ceil(size / blocksize);
  const quantized = makeOutput(backend, [int32Count(size)], 'int32');
  const absmax = makeOutput(backend, [blocks]);
  const bounds = [...blockwiseBounds(code, nearest), Infinity];
  dispatch(backend, {
    shader: quantizeShader({ nearest }),
    buffers: { x, quantized, absmax },
    uniforms: { size, blocks, blocksize, zero: 0, bounds },
    workgroups: spread(blocks),
  });
  return { quantized, absmax };
};

/** A thread a word of four codes. */
const dequantizeShader = shaderVariants('dequantizeBlockwise', (_constants: Record<string, never>) => {
  const io = layout({
    uniforms: { size: 'u32', blocksize: 'u32' },
    buffers: {
      quantized: 'read array<u32>',
      absmax: 'read array<f32>',
      code: 'read array<f32>',
      values: 'write array<f32>',
    },
  });
  return {
    layout: io,
    code: /* wgsl */ `
${io.wgsl}
@compute @workgroup_size(${THREADS})
fn main(${WORKGROUP_PARAMETERS}) {
  let i = (${WORKGROUP_INDEX}) * ${THREADS}u + lane;
  if (i * 4u >= uniforms.size) { return; }
  let word = quantized[i];
  for (var e = i * 4u; e < min(i * 4u + 4u, uniforms.size); e++) {
    values[e] = code[(word >> ((e & 3u) * 8u)) & 255u] * absmax[e / uniforms.blocksize];
  }
}`,
  };
});

export const webgpuDequantizeBlockwise: WebgpuKernel<DequantizeBlockwiseInputs, DequantizeBlockwiseAttributes> = (
  { quantized, absmax, code },
  { blocksize, shape },
  backend,
) => {
  const size = util.sizeFromShape([...shape]);
  const values = makeOutput(backend, [...shape]);
  dispatch(backend, {
    shader: dequantizeShader({}),
    buffers: { quantized, absmax, code, values },
    uniforms: { size, blocksize },
    workgroups: spread(Math.ceil(size / 4 / THREADS)),
  });
  return values;
};
