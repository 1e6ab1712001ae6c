// Idea: the best column of a row is found by its workgroup, and one of the counts rises.
// Cost: 4 bytes a logit, and one atomic addition a row.

import type { WebgpuKernel } from '../../engine/op';
import { dispatch } from '../../webgpu/dispatch';
import { shaderVariants, spread, WORKGROUP_INDEX, WORKGROUP_PARAMETERS } from '../../webgpu/shader';
import { layout } from '../../webgpu/layout';
import { forgetHostCopies } from '../../tfjs/in-place';
import type { ConfusionInputs, ConfusionOutputs } from './types';

const THREADS = 64;

/** A workgroup takes a row: each thread the best of its columns, then one thread the best of those, the first of equals. */
const shader = shaderVariants('confusion', () => {
  const io = layout({
    uniforms: { rows: 'u32', classes: 'u32' },
    buffers: { counts: 'write array<atomic<i32>>', logits: 'read array<f32>', labels: 'read array<i32>' },
  });
  return {
    layout: io,
    code: /* wgsl */ `
${io.wgsl}
var<workgroup> best: array<u32, ${THREADS}>;

@compute @workgroup_size(${THREADS})
fn main(${WORKGROUP_PARAMETERS}) {
  let row = ${WORKGROUP_INDEX};
  if (row >= uniforms.rows) { return; }
  let start = row * uniforms.classes;
  var found = min(lane, uniforms.classes - 1u);
  for (var i = found + ${THREADS}u; i < uniforms.classes; i += ${THREADS}u) {
    if (logits[start + i] > logits[start + found]) { found = i; }
  }
  best[lane] = found;
  workgroupBarrier();
  if (lane != 0u) { return; }
  for (var i = 1u; i < min(${THREADS}u, uniforms.classes); i++) {
    let other = best[i];
    let larger = logits[start + other] > logits[start + found];
    if (larger || (logits[start + other] == logits[start + found] && other < found)) { found = other; }
  }
  let label = labels[row];
  let classes = i32(uniforms.classes);
  let place = select(classes * classes, label * classes + i32(found), label >= 0 && label < classes);
  atomicAdd(&counts[place], 1);
}`,
  };
});

/** In place. */
export const webgpuConfusion: WebgpuKernel<ConfusionInputs, object, ConfusionOutputs> = (
  { counts, logits, labels },
  _attributes,
  backend,
) => {
  const [rows = 0, classes = 0] = logits.shape;
  dispatch(backend, {
    shader: shader({}),
    buffers: { counts, logits, labels },
    uniforms: { rows, classes },
    workgroups: spread(rows),
  });
  forgetHostCopies(backend, [counts]);
  return {};
};
