// Idea: rows of both tables are added as they are looked up; a table in float16 is read as it is.
// Cost: 2 or 4 bytes an element of each table read, 4 written.
// Measured: 30 us at 8,192 x 1,024 from a float16 table and positions on an H200, 1.7 TB/s beside the positions, which stay in
// the cache (bench/results/step.json, kernels, 64x128).

import type { WebgpuKernel } from '../../engine/op';
import { NAN } from '../../webgpu/constants';
import { dispatch, makeOutput } from '../../webgpu/dispatch';
import { WORKGROUP_INDEX, WORKGROUP_PARAMETERS, shaderVariants, spread } from '../../webgpu/shader';
import { layout } from '../../webgpu/layout';
import { columnsOf, type EmbeddingInputs } from './types';

const WORKGROUP_SIZE = 256;

/** A thread adds one element, or four where the row length allows; an index out of range makes its row NaN. */
const shader = shaderVariants(
  'embedding',
  ({ vector, half, positioned }: { vector: boolean; half: boolean; positioned: boolean }) => {
    const type = vector ? 'vec4f' : 'f32';
    const word = vector ? 'vec2u' : 'u32';
    const token = vector
      ? 'vec4f(unpack2x16float(tokenTable[at].x), unpack2x16float(tokenTable[at].y))'
      : 'unpack2x16float(tokenTable[at >> 1u])[at & 1u]';
    const io = layout({
      uniforms: { threads: 'u32', columns: 'u32', tokens: 'u32', positionCount: 'u32' },
      buffers: {
        ids: 'read array<u32>',
        positions: positioned ? 'read array<u32>' : undefined,
        tokenTable: `read array<${half ? word : type}>`,
        positionTable: positioned ? `read array<${type}>` : undefined,
        y: `write array<${type}>`,
      },
    });
    return {
      layout: io,
      code: /* wgsl */ `
${io.wgsl}
${NAN}
@compute @workgroup_size(${WORKGROUP_SIZE})
fn main(${WORKGROUP_PARAMETERS}) {
  let i = (${WORKGROUP_INDEX}) * ${WORKGROUP_SIZE}u + lane;
  if (i >= uniforms.threads) { return; }
  let row = i / uniforms.columns;
  let column = i % uniforms.columns;
  let id = ids[row];
  ${positioned ? 'let position = positions[row];' : ''}
  // A negative index is a large one here.
  if (id >= uniforms.tokens${positioned ? ' || position >= uniforms.positionCount' : ''}) {
    y[i] = ${type}(notANumber(lane));
    return;
  }
  let at = id * uniforms.columns + column;
  y[i] = ${half ? token : 'tokenTable[at]'}${positioned ? ' + positionTable[position * uniforms.columns + column]' : ''};
}`,
    };
  },
);

export const webgpuEmbedding: WebgpuKernel<EmbeddingInputs, object> = (
  { ids, positions, tokenTable, positionTable },
  _attributes,
  backend,
) => {
  const [rows = 0] = ids.shape;
  const tokens = tokenTable.shape[0]!;
  const columns = columnsOf(tokenTable);
  const vector = columns % 4 === 0;
  const rowLength = vector ? columns / 4 : columns;
  const y = makeOutput(backend, [rows, columns]);
  dispatch(backend, {
    shader: shader({ vector, half: tokenTable.dtype === 'int32', positioned: positionTable !== undefined }),
    buffers: { ids, positions, tokenTable, positionTable, y },
    uniforms: { threads: rows * rowLength, columns: rowLength, tokens, positionCount: positionTable?.shape[0] ?? 0 },
    workgroups: spread(Math.ceil((rows * rowLength) / WORKGROUP_SIZE)),
  });
  return y;
};
