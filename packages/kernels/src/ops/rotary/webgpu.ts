// Idea: q, k and v are rotated on the way into the packed rows that attention reads, in one pass.
// Cost: 8 bytes an element, a cosine and a sine of the table a pair, and 6 operations a pair.

import type { TensorInfo } from '@tensorflow/tfjs-core';
import type { WebgpuKernel } from '../../engine/op';
import { NAN } from '../../webgpu/constants';
import { dispatch, makeOutput } from '../../webgpu/dispatch';
import { layout } from '../../webgpu/layout';
import { WORKGROUP_INDEX, WORKGROUP_PARAMETERS, shaderVariants, spread } from '../../webgpu/shader';
import type { RotaryBackwardInputs, RotaryGradients, RotaryHeads, RotaryInputs } from './types';

const WORKGROUP_SIZE = 256;

/**
 * A thread takes a pair of columns of one head, or four neighbouring pairs: from q, k or v into the packed rows, or the
 * way back. `depth` counts what a thread takes in half a head.
 */
const shader = shaderVariants('rotary', ({ vector, backward }: { vector: boolean; backward: boolean }) => {
  const type = vector ? 'vec4f' : 'f32';
  const [read, write] = [`read array<${type}>`, `write array<${type}>`] as const;
  const io = layout({
    uniforms: { rows: 'u32', heads: 'u32', keyHeads: 'u32', depth: 'u32', positions: 'u32' },
    buffers: {
      positions: 'read array<i32>',
      angles: read,
      packed: backward ? read : write,
      queries: backward ? write : read,
      keys: backward ? write : read,
      values: backward ? write : read,
    },
  });
  const move = (name: string): string =>
    backward
      ? `${name}[own] = first * cos + second * sin; ${name}[own + uniforms.depth] = second * cos - first * sin;`
      : `let first = ${name}[own]; let second = ${name}[own + uniforms.depth];
    packed[at] = first * cos - second * sin; packed[at + uniforms.depth] = second * cos + first * sin;`;
  return {
    layout: io,
    code: /* wgsl */ `
${io.wgsl}
${NAN}
@compute @workgroup_size(${WORKGROUP_SIZE})
fn main(${WORKGROUP_PARAMETERS}) {
  let thread = (${WORKGROUP_INDEX}) * ${WORKGROUP_SIZE}u + lane;
  let blocks = uniforms.heads + 2u * uniforms.keyHeads;
  let d = thread % uniforms.depth;
  let block = thread / uniforms.depth % blocks;
  let row = thread / uniforms.depth / blocks;
  if (row >= uniforms.rows) { return; }
  let at = (row * blocks + block) * 2u * uniforms.depth + d;
  let position = u32(positions[row]);
  let inside = position < uniforms.positions;
  let angle = select(0u, position, inside) * 2u * uniforms.depth + d;
  let cos = select(${type}(notANumber(lane)), angles[angle], inside);
  let sin = select(${type}(notANumber(lane)), angles[angle + uniforms.depth], inside);
  ${backward ? 'let first = packed[at]; let second = packed[at + uniforms.depth];' : ''}
  if (block < uniforms.heads) {
    let own = (row * uniforms.heads + block) * 2u * uniforms.depth + d;
    ${move('queries')}
  } else if (block < uniforms.heads + uniforms.keyHeads) {
    let own = (row * uniforms.keyHeads + block - uniforms.heads) * 2u * uniforms.depth + d;
    ${move('keys')}
  } else {
    let own = (row * uniforms.keyHeads + block - uniforms.heads - uniforms.keyHeads) * 2u * uniforms.depth + d;
    ${
      backward
        ? 'values[own] = first; values[own + uniforms.depth] = second;'
        : 'packed[at] = values[own]; packed[at + uniforms.depth] = values[own + uniforms.depth];'
    }
  }
}`,
  };
});

interface RotaryRun extends RotaryHeads {
  readonly backward: boolean;
  readonly positions: TensorInfo;
  readonly table: TensorInfo;
}

/** What a run needs beside its matrices. */
function runOf({ backward, positions, table, heads, keyValueHeads }: RotaryRun) {
  const [known = 0, headSize = 0] = table.shape;
  const rows = positions.shape[0] ?? 0;
  const vector = headSize % 8 === 0;
  const depth = headSize / (vector ? 8 : 2);
  return {
    shader: shader({ vector, backward }),
    uniforms: { rows, heads, keyHeads: keyValueHeads, depth, positions: known },
    workgroups: spread(Math.ceil((rows * (heads + 2 * keyValueHeads) * depth) / WORKGROUP_SIZE)),
  };
}

export const webgpuRotary: WebgpuKernel<RotaryInputs, RotaryHeads> = (
  { q, k, v, positions, table },
  heads,
  backend,
) => {
  const packed = makeOutput(backend, [q.shape[0]!, (heads.heads + 2 * heads.keyValueHeads) * table.shape[1]!]);
  dispatch(backend, {
    ...runOf({ backward: false, positions, table, ...heads }),
    buffers: { positions, angles: table, packed, queries: q, keys: k, values: v },
  });
  return packed;
};

export const webgpuRotaryBackward: WebgpuKernel<RotaryBackwardInputs, RotaryHeads, RotaryGradients> = (
  { dy, positions, table },
  heads,
  backend,
) => {
  const [rows = 0, headSize = 0] = [dy.shape[0], table.shape[1]];
  const dq = makeOutput(backend, [rows, heads.heads * headSize]);
  const dk = makeOutput(backend, [rows, heads.keyValueHeads * headSize]);
  const dv = makeOutput(backend, [rows, heads.keyValueHeads * headSize]);
  dispatch(backend, {
    ...runOf({ backward: true, positions, table, ...heads }),
    buffers: { positions, angles: table, packed: dy, queries: dq, keys: dk, values: dv },
  });
  return { q: dq, k: dk, v: dv };
};
