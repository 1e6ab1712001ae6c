// Idea: rows go by their numbers; back, each row of the result looks for what belongs to it, so nothing is added atomically.
// Cost: 8 bytes an element forward; back 4 bytes an element of the result, 4 an element that is added, and the numbers once a row.
// Measured: back 137 us to 8,192 x 1,024 on an H200, 0.24 TB/s (bench/results/step.json, kernels, 64x128, scatterRows): a row looks through all numbers.

import type { WebgpuKernel } from '../../engine/op';
import { NAN } from '../../webgpu/constants';
import { dispatch, makeOutput } from '../../webgpu/dispatch';
import { WORKGROUP_INDEX, WORKGROUP_PARAMETERS, shaderVariants, spread } from '../../webgpu/shader';
import { layout } from '../../webgpu/layout';
import type { GatherRowsAttributes, GatherRowsInputs, ScatterRowsInputs } from './types';

const WORKGROUP_SIZE = 64;

/** A workgroup copies one row; a row number out of range gives NaN. */
const gather = shaderVariants('gatherRows', ({ vector }: { vector: boolean }) => {
  const type = vector ? 'vec4f' : 'f32';
  const io = layout({
    uniforms: { count: 'u32', rowCount: 'u32', columns: 'u32' },
    buffers: { x: `read array<${type}>`, rows: 'read array<u32>', y: `write array<${type}>` },
  });
  return {
    layout: io,
    joining: { beside: true },
    code: /* wgsl */ `
${io.wgsl}
${NAN}
@compute @workgroup_size(${WORKGROUP_SIZE})
fn main(${WORKGROUP_PARAMETERS}) {
  let place = ${WORKGROUP_INDEX};
  if (place >= uniforms.count) { return; }
  let row = rows[place];
  for (var c = lane; c < uniforms.columns; c += ${WORKGROUP_SIZE}u) {
    var value = ${type}(notANumber(lane));
    if (row < uniforms.rowCount) { value = x[row * uniforms.columns + c]; }
    y[place * uniforms.columns + c] = value;
  }
}`,
  };
});

/**
 * A workgroup writes one row of the result: it looks through the row numbers and adds what belongs to it, in their
 * order. No atomics, no clearing beforehand, and the few numbers of a batch stay in the cache.
 */
const scatter = shaderVariants('scatterRows', ({ vector }: { vector: boolean }) => {
  const type = vector ? 'vec4f' : 'f32';
  const io = layout({
    uniforms: { count: 'u32', rowCount: 'u32', columns: 'u32' },
    buffers: { dy: `read array<${type}>`, rows: 'read array<u32>', dx: `write array<${type}>` },
  });
  return {
    layout: io,
    joining: { beside: true },
    code: /* wgsl */ `
${io.wgsl}

@compute @workgroup_size(${WORKGROUP_SIZE})
fn main(${WORKGROUP_PARAMETERS}) {
  let row = ${WORKGROUP_INDEX};
  if (row >= uniforms.rowCount) { return; }
  for (var c = lane; c < uniforms.columns; c += ${WORKGROUP_SIZE}u) {
    var total = ${type}(0.0);
    for (var i = 0u; i < uniforms.count; i++) {
      if (rows[i] == row) { total += dy[i * uniforms.columns + c]; }
    }
    dx[row * uniforms.columns + c] = total;
  }
}`,
  };
});

export const webgpuGatherRows: WebgpuKernel<GatherRowsInputs, GatherRowsAttributes> = (
  { x, rows },
  { rowCount },
  backend,
) => {
  const columns = x.shape[1]!;
  const count = rows.shape[0]!;
  const vector = columns % 4 === 0;
  const y = makeOutput(backend, [count, columns]);
  dispatch(backend, {
    shader: gather({ vector }),
    buffers: { x, rows, y },
    uniforms: { count, rowCount, columns: vector ? columns / 4 : columns },
    workgroups: spread(columns === 0 ? 0 : count),
  });
  return y;
};

export const webgpuScatterRows: WebgpuKernel<ScatterRowsInputs, GatherRowsAttributes> = (
  { dy, rows },
  { rowCount },
  backend,
) => {
  const columns = dy.shape[1]!;
  const count = rows.shape[0]!;
  const vector = columns % 4 === 0;
  const dx = makeOutput(backend, [rowCount, columns]);
  dispatch(backend, {
    shader: scatter({ vector }),
    buffers: { dy, rows, dx },
    uniforms: { count, rowCount, columns: vector ? columns / 4 : columns },
    workgroups: spread(columns === 0 ? 0 : rowCount),
  });
  return dx;
};
