// Idea: a row stays in its workgroup from the logits to the probabilities, which the backward pass scales.
// Cost: 8 bytes a logit forward and 8 backward, one exponential a logit. At few labels it is a dispatch's latency.

import type { WebgpuKernel } from '../../engine/op';
import { NAN } from '../../webgpu/constants';
import { dispatch, makeOutput } from '../../webgpu/dispatch';
import { threadsForRow, workgroupSum } from '../../webgpu/reduce';
import { WORKGROUP_INDEX, WORKGROUP_PARAMETERS, shaderVariants, spread } from '../../webgpu/shader';
import { layout } from '../../webgpu/layout';
import type {
  CrossEntropyAttributes,
  CrossEntropyBackwardInputs,
  CrossEntropyInputs,
  CrossEntropyOutputs,
} from './types';

const TOTAL_THREADS = 256;

/** A workgroup takes one row: its maximum, the sum of its exponentials, its probabilities and its loss. */
const rowLosses = shaderVariants('crossEntropy rows', ({ threads }: { threads: number }) => {
  const io = layout({
    uniforms: { rows: 'u32', classes: 'u32', ignoreIndex: 'i32' },
    buffers: {
      logits: 'read array<f32>',
      labels: 'read array<i32>',
      probabilities: 'write array<f32>',
      losses: 'write array<f32>',
    },
  });
  return {
    layout: io,
    code: /* wgsl */ `
${io.wgsl}
${workgroupSum('f32', threads)}
${NAN}
var<workgroup> largestOf: array<f32, ${threads}>;

@compute @workgroup_size(${threads})
fn main(${WORKGROUP_PARAMETERS}) {
  let row = ${WORKGROUP_INDEX};
  if (row >= uniforms.rows) { return; }
  let start = row * uniforms.classes;
  var largest = -3.4e38;
  for (var k = lane; k < uniforms.classes; k += ${threads}u) { largest = max(largest, logits[start + k]); }
  largestOf[lane] = largest;
  workgroupBarrier();
  for (var half = ${threads / 2}u; half > 0u; half >>= 1u) {
    if (lane < half) { largestOf[lane] = max(largestOf[lane], largestOf[lane + half]); }
    workgroupBarrier();
  }
  largest = largestOf[0];
  var sum = 0.0;
  for (var k = lane; k < uniforms.classes; k += ${threads}u) { sum += exp(logits[start + k] - largest); }
  let total = workgroupSum(lane, sum);
  for (var k = lane; k < uniforms.classes; k += ${threads}u) {
    probabilities[start + k] = exp(logits[start + k] - largest) / total;
  }
  if (lane == 0u) {
    let label = labels[row];
    var loss = 0.0;
    if (label != uniforms.ignoreIndex) {
      if (label < 0 || label >= i32(uniforms.classes)) {
        loss = notANumber(lane);
      } else {
        loss = log(total) + (largest - logits[start + u32(label)]);
      }
    }
    losses[row] = loss;
  }
}`,
  };
});

/** WGSL: rows that count, found by all threads of a workgroup together. */
const countedRows = (threads: number): string => /* wgsl */ `
fn countedRows(lane: u32) -> f32 {
  var count = 0.0;
  for (var row = lane; row < uniforms.rows; row += ${threads}u) {
    count += select(0.0, 1.0, labels[row] != uniforms.ignoreIndex);
  }
  return workgroupSum(lane, count);
}
`;

/** One workgroup adds the rows' losses in a fixed order. */
const totalLoss = shaderVariants('crossEntropy total', ({ mean }: { mean: boolean }) => {
  const io = layout({
    uniforms: { rows: 'u32', ignoreIndex: 'i32' },
    buffers: { losses: 'read array<f32>', labels: 'read array<i32>', loss: 'write f32' },
  });
  return {
    layout: io,
    code: /* wgsl */ `
${io.wgsl}
${workgroupSum('f32', TOTAL_THREADS)}
${countedRows(TOTAL_THREADS)}
${NAN}
@compute @workgroup_size(${TOTAL_THREADS})
fn main(@builtin(local_invocation_index) lane: u32) {
  var sum = 0.0;
  for (var row = lane; row < uniforms.rows; row += ${TOTAL_THREADS}u) { sum += losses[row]; }
  let total = workgroupSum(lane, sum);
  let count = countedRows(lane);
  if (lane == 0u) {
    loss = ${mean ? 'total / count' : 'total'};
    ${mean ? 'if (count == 0.0) { loss = notANumber(lane); }' : ''}
  }
}`,
  };
});

/** A workgroup takes one row and counts the rows again where the mean needs it: cheaper than a dispatch for it. */
const backward = shaderVariants('crossEntropy backward', ({ threads, mean }: { threads: number; mean: boolean }) => {
  const io = layout({
    uniforms: { rows: 'u32', classes: 'u32', ignoreIndex: 'i32' },
    buffers: {
      dy: 'read f32',
      probabilities: 'read array<f32>',
      labels: 'read array<i32>',
      dlogits: 'write array<f32>',
    },
  });
  return {
    layout: io,
    code: /* wgsl */ `
${io.wgsl}
${mean ? workgroupSum('f32', threads) + countedRows(threads) : ''}
@compute @workgroup_size(${threads})
fn main(${WORKGROUP_PARAMETERS}) {
  let slope = dy${mean ? ' / countedRows(lane)' : ''};
  let row = ${WORKGROUP_INDEX};
  if (row >= uniforms.rows) { return; }
  let label = labels[row];
  let start = row * uniforms.classes;
  for (var k = lane; k < uniforms.classes; k += ${threads}u) {
    let difference = probabilities[start + k] - select(0.0, 1.0, i32(k) == label);
    dlogits[start + k] = select(difference * slope, 0.0, label == uniforms.ignoreIndex);
  }
}`,
  };
});

export const webgpuCrossEntropy: WebgpuKernel<CrossEntropyInputs, CrossEntropyAttributes, CrossEntropyOutputs> = (
  { logits, labels },
  { reduction, ignoreIndex },
  backend,
) => {
  const [rows = 0, classes = 0] = logits.shape;
  const probabilities = makeOutput(backend, [rows, classes]);
  const losses = makeOutput(backend, [rows]);
  const loss = makeOutput(backend, []);
  dispatch(backend, {
    shader: rowLosses({ threads: threadsForRow(classes) }),
    buffers: { logits, labels, probabilities, losses },
    uniforms: { rows, classes, ignoreIndex },
    workgroups: spread(rows),
  });
  dispatch(backend, {
    shader: totalLoss({ mean: reduction === 'mean' }),
    buffers: { losses, labels, loss },
    uniforms: { rows, ignoreIndex },
    workgroups: [1, 1, 1],
  });
  backend.disposeData(losses.dataId);
  return { loss, probabilities };
};

export const webgpuCrossEntropyBackward: WebgpuKernel<CrossEntropyBackwardInputs, CrossEntropyAttributes> = (
  { dy, probabilities, labels },
  { reduction, ignoreIndex },
  backend,
) => {
  const [rows = 0, classes = 0] = probabilities.shape;
  const dlogits = makeOutput(backend, [rows, classes]);
  dispatch(backend, {
    shader: backward({ threads: threadsForRow(classes), mean: reduction === 'mean' }),
    buffers: { dy, probabilities, labels, dlogits },
    uniforms: { rows, classes, ignoreIndex },
    workgroups: spread(rows),
  });
  return dlogits;
};
