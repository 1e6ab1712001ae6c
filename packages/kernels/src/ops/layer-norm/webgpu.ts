import type { OpDefinition } from '../../engine/op';
import { dispatch, makeOutput } from '../../webgpu/dispatch';
import { threadsForRow, workgroupSum } from '../../webgpu/reduce';
import { WORKGROUP_INDEX, WORKGROUP_PARAMETERS, shaderVariants, spread } from '../../webgpu/shader';
import { f32, u32 } from '../../webgpu/uniforms';
import type { LayerNormAttributes, LayerNormBackwardInputs, LayerNormInputs } from './types';

interface RowVariant extends Readonly<Record<string, number | boolean>> {
  readonly threads: number;
  /** Four columns a load, where the row length allows. */
  readonly vector: boolean;
}

/** WGSL: the sum over a T's lanes. */
const laneSum = (vector: boolean): string =>
  vector ? 'fn laneSum(x: T) -> f32 { return dot(x, T(1.0)); }' : 'fn laneSum(x: T) -> f32 { return x; }';

/**
 * A workgroup takes one row: the mean, then the variance around it, so that a mean far from zero costs no digits. The
 * row is read three times, twice from the cache.
 */
const forward = shaderVariants('layerNorm', ({ threads, vector }: RowVariant) => {
  return /* wgsl */ `
alias T = ${vector ? 'vec4f' : 'f32'};
struct Uniforms { rows: u32, columns: u32, elements: f32, epsilon: f32 }
@group(0) @binding(0) var<storage, read> x: array<T>;
@group(0) @binding(1) var<storage, read> gamma: array<T>;
@group(0) @binding(2) var<storage, read> beta: array<T>;
@group(0) @binding(3) var<storage, read_write> y: array<T>;
@group(0) @binding(4) var<storage, read_write> means: array<f32>;
@group(0) @binding(5) var<storage, read_write> reciprocalStds: array<f32>;
@group(0) @binding(6) var<uniform> uniforms: Uniforms;
${laneSum(vector)}
${workgroupSum('f32', threads)}
@compute @workgroup_size(${threads})
fn main(${WORKGROUP_PARAMETERS}) {
  let row = ${WORKGROUP_INDEX};
  if (row >= uniforms.rows) { return; }
  let start = row * uniforms.columns;
  var sum = T(0.0);
  for (var c = lane; c < uniforms.columns; c += ${threads}u) { sum += x[start + c]; }
  let mean = workgroupSum(lane, laneSum(sum)) / uniforms.elements;
  var squares = T(0.0);
  for (var c = lane; c < uniforms.columns; c += ${threads}u) {
    let centred = x[start + c] - mean;
    squares += centred * centred;
  }
  let variance = workgroupSum(lane, laneSum(squares)) / uniforms.elements;
  let reciprocalStd = 1.0 / sqrt(variance + uniforms.epsilon);
  for (var c = lane; c < uniforms.columns; c += ${threads}u) {
    y[start + c] = (x[start + c] - mean) * reciprocalStd * gamma[c] + beta[c];
  }
  if (lane == 0u) {
    means[row] = mean;
    reciprocalStds[row] = reciprocalStd;
  }
}`;
});

/** A workgroup takes one row; both of the row's sums are reduced together. */
const backward = shaderVariants(
  'layerNorm backward',
  ({ threads, vector, adding }: RowVariant & { readonly adding: boolean }) => {
    return /* wgsl */ `
alias T = ${vector ? 'vec4f' : 'f32'};
struct Uniforms { rows: u32, columns: u32, elements: f32 }
@group(0) @binding(0) var<storage, read> dy: array<T>;
@group(0) @binding(1) var<storage, read> x: array<T>;
@group(0) @binding(2) var<storage, read> gamma: array<T>;
@group(0) @binding(3) var<storage, read> means: array<f32>;
@group(0) @binding(4) var<storage, read> reciprocalStds: array<f32>;
@group(0) @binding(5) var<storage, read_write> dx: array<T>;
${adding ? '@group(0) @binding(6) var<storage, read> residual: array<T>;' : ''}
@group(0) @binding(${adding ? 7 : 6}) var<uniform> uniforms: Uniforms;
${laneSum(vector)}
${workgroupSum('vec2f', threads)}
@compute @workgroup_size(${threads})
fn main(${WORKGROUP_PARAMETERS}) {
  let row = ${WORKGROUP_INDEX};
  if (row >= uniforms.rows) { return; }
  let start = row * uniforms.columns;
  let mean = means[row];
  let reciprocalStd = reciprocalStds[row];
  var scaledSum = T(0.0);
  var projectedSum = T(0.0);
  for (var c = lane; c < uniforms.columns; c += ${threads}u) {
    let scaled = dy[start + c] * gamma[c];
    scaledSum += scaled;
    projectedSum += scaled * (x[start + c] - mean);
  }
  let sums = workgroupSum(lane, vec2f(laneSum(scaledSum), laneSum(projectedSum))) / uniforms.elements;
  let projected = sums.y * reciprocalStd * reciprocalStd;
  for (var c = lane; c < uniforms.columns; c += ${threads}u) {
    let scaled = dy[start + c] * gamma[c];
    dx[start + c] = (scaled - sums.x - (x[start + c] - mean) * projected) * reciprocalStd${adding ? ' + residual[start + c]' : ''};
  }
}`;
  },
);

const COLUMNS = 32;
const LANES = 8;

/** A workgroup takes 32 columns; eight threads a column walk over the rows and are added in order at the end. */
const parameterGradients = shaderVariants('layerNorm parameter gradients', () => {
  return /* wgsl */ `
struct Uniforms { rows: u32, columns: u32 }
@group(0) @binding(0) var<storage, read> dy: array<f32>;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read> means: array<f32>;
@group(0) @binding(3) var<storage, read> reciprocalStds: array<f32>;
@group(0) @binding(4) var<storage, read_write> dgamma: array<f32>;
@group(0) @binding(5) var<storage, read_write> dbeta: array<f32>;
@group(0) @binding(6) var<uniform> uniforms: Uniforms;
var<workgroup> partials: array<vec2f, ${COLUMNS * LANES}>;

@compute @workgroup_size(${COLUMNS * LANES})
fn main(${WORKGROUP_PARAMETERS}) {
  let column = (${WORKGROUP_INDEX}) * ${COLUMNS}u + lane % ${COLUMNS}u;
  var sums = vec2f(0.0);
  if (column < uniforms.columns) {
    for (var row = lane / ${COLUMNS}u; row < uniforms.rows; row += ${LANES}u) {
      let slope = dy[row * uniforms.columns + column];
      let normalised = (x[row * uniforms.columns + column] - means[row]) * reciprocalStds[row];
      sums += vec2f(slope * normalised, slope);
    }
  }
  partials[lane] = sums;
  workgroupBarrier();
  if (lane < ${COLUMNS}u && column < uniforms.columns) {
    for (var other = lane + ${COLUMNS}u; other < ${COLUMNS * LANES}u; other += ${COLUMNS}u) { sums += partials[other]; }
    dgamma[column] = sums.x;
    dbeta[column] = sums.y;
  }
}`;
});

type Webgpu<Inputs extends LayerNormInputs | LayerNormBackwardInputs, Attributes extends object> = NonNullable<
  OpDefinition<Inputs, Attributes>['webgpu']
>;

function rowVariant(columns: number): { variant: RowVariant; rowLength: number } {
  const vector = columns % 4 === 0;
  return { variant: { threads: threadsForRow(columns), vector }, rowLength: vector ? columns / 4 : columns };
}

export const webgpuLayerNorm: Webgpu<LayerNormInputs, LayerNormAttributes> = (
  { x, gamma, beta },
  { epsilon },
  backend,
) => {
  const [rows = 0, columns = 0] = x.shape;
  const { variant, rowLength } = rowVariant(columns);
  const y = makeOutput(backend, [rows, columns]);
  const mean = makeOutput(backend, [rows]);
  const reciprocalStd = makeOutput(backend, [rows]);
  dispatch(backend, {
    ...forward(variant),
    bindings: [x, gamma, beta, y, mean, reciprocalStd],
    uniforms: [u32(rows), u32(rowLength), f32(columns), f32(epsilon)],
    workgroups: spread(rows),
  });
  return [y, mean, reciprocalStd];
};

export const webgpuLayerNormBackward: Webgpu<LayerNormBackwardInputs, object> = (
  { dy, x, gamma, mean, reciprocalStd, residual },
  _attributes,
  backend,
) => {
  const [rows = 0, columns = 0] = x.shape;
  const { variant, rowLength } = rowVariant(columns);
  const dx = makeOutput(backend, [rows, columns]);
  dispatch(backend, {
    ...backward({ ...variant, adding: residual !== undefined }),
    bindings: [dy, x, gamma, mean, reciprocalStd, dx, ...(residual === undefined ? [] : [residual])],
    uniforms: [u32(rows), u32(rowLength), f32(columns)],
    workgroups: spread(rows),
  });
  return [dx];
};

export const webgpuLayerNormParameterGradients: Webgpu<LayerNormBackwardInputs, object> = (
  { dy, x, mean, reciprocalStd },
  _attributes,
  backend,
) => {
  const [rows = 0, columns = 0] = x.shape;
  const dgamma = makeOutput(backend, [columns]);
  const dbeta = makeOutput(backend, [columns]);
  dispatch(backend, {
    ...parameterGradients({}),
    bindings: [dy, x, mean, reciprocalStd, dgamma, dbeta],
    uniforms: [u32(rows), u32(columns)],
    workgroups: spread(Math.ceil(columns / COLUMNS)),
  });
  return [dgamma, dbeta];
};
