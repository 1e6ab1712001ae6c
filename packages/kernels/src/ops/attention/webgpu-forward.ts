// Idea: an online softmax over tiles of keys; the score matrix is never written.
// Cost: 2 products of rows x keys x head size in float32, half of them by causality; qkv read once a tile of queries, y and a log-sum
// a row and head written once. Dropout draws once for 4 probabilities.

import { shaderVariants } from '../../webgpu/shader';
import {
  forwardLayout,
  KEY_HEAD,
  MASKED,
  NO_KEYS,
  dropped,
  elementType,
  freeRows,
  loadTile,
  outputProducts,
  outputZeros,
  overThreads,
  preamble,
  reader,
  scoreProducts,
  tileArray,
  tileSizes,
  bitsByQuery,
  writeOutput,
  writer,
  type TileConstants,
} from './wgsl';

/** Bytes of workgroup memory the forward kernel takes. */
export function forwardWorkgroupBytes(constants: Pick<TileConstants, 'headSize' | 'ownRows' | 'loopRows'>): number {
  const { pitch, threads, weightPitch } = tileSizes(constants);
  const { ownRows, loopRows } = constants;
  return 16 * ((ownRows + loopRows) * pitch + loopRows * weightPitch + threads);
}

/**
 * FlashAttention's forward pass (Dao et al. 2022, algorithm 1) in float32: a workgroup owns a tile of queries of one
 * head and goes over the keys in tiles, with a running maximum and sum a query. Each thread holds four queries by
 * `columns` keys of the scores, then four queries by a slice of the head of the output. The workgroups behind the last
 * sequence write zeros to the rows of none, so that nothing has to be cleared beforehand.
 */
export const forwardShader = shaderVariants('attention', (constants: TileConstants) => {
  const sizes = tileSizes(constants);
  const { across, threads, columns, depth, steps, weightPitch } = sizes;
  const { ownRows, loopRows } = constants;
  const type = elementType(constants);
  const io = forwardLayout(constants, type);
  return {
    layout: io,
    code: /* wgsl */ `
${preamble(constants, io)}
${reader('readQkv', 'qkv', 'qkv', constants)}
${writer('writeY', 'y', 'heads', constants)}
${tileArray('queries', ownRows, sizes)}
${tileArray('looped', loopRows, sizes)}
var<workgroup> weights: array<vec4f, ${loopRows * weightPitch}>;
var<workgroup> reduced: array<vec4f, ${threads}>;

@compute @workgroup_size(${threads})
fn main(
  @builtin(workgroup_id) workgroup: vec3u,
  @builtin(num_workgroups) workgroups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let head = workgroup.y;
  ${KEY_HEAD}
  ${freeRows(
    threads,
    'lane',
    `for (var d = 0u; d < ${depth}u; d++) { writeY(row, 0u, head, d, vec4f(0.0)); }
      lse[u32(row) * uniforms.heads + head] = ${NO_KEYS};`,
  )}
  let sequence = sequenceAt(workgroup.z);
  let first = i32(workgroup.x) * ${ownRows};
  if (first >= sequence.count) { return; }
  let tx = lane % ${across}u;
  let ty = lane / ${across}u;
  let query = vec4i(first + i32(ty) * 4) + vec4i(0, 1, 2, 3);
  ${loadTile('queries', ownRows, sizes, {
    first: 'first',
    value: 'readQkv(sequence.start + row, 0u, head, d) * uniforms.scale',
    interleaved: false,
  })}
  ${outputZeros('o', sizes)}
  var largest = vec4f(${MASKED});
  var total = vec4f(0.0);
  let end = min(first + ${ownRows}, sequence.keyEnd);
  for (var t = sequence.keyStart / ${loopRows} * ${loopRows}; t < end; t += ${loopRows}) {
    ${loadTile('looped', loopRows, sizes, {
      first: 't',
      value: 'readQkv(sequence.start + row, 1u, keyHead, d)',
      interleaved: true,
    })}
    workgroupBarrier();
    ${scoreProducts('s', 'queries', 'looped', sizes)}
    var most = vec4f(${MASKED});
    for (var c = 0u; c < ${columns}u; c++) {
      let key = t + i32(tx * ${columns}u + c);
      let seen = (vec4i(key) <= query) & vec4<bool>(key >= sequence.keyStart && key < sequence.keyEnd);
      s[c] = select(vec4f(${MASKED}), s[c], seen);
      most = max(most, s[c]);
    }
    reduced[lane] = most;
    workgroupBarrier();
    ${overThreads('highest', 'max')}
    highest = max(largest, highest);
    let shrink = exp(largest - highest);
    largest = highest;
    total *= shrink;
    ${bitsByQuery(constants, sizes)}
    for (var c = 0u; c < ${columns}u; c++) {
      // A masked score is told by its value: no real one lies so low.
      let p = select(exp(s[c] - highest), vec4f(0.0), s[c] <= vec4f(${MASKED}));
      total += p;
      weights[(c * ${across}u + tx) * ${weightPitch}u + ty] = ${dropped(constants, 'p')};
    }
    ${loadTile('looped', loopRows, sizes, {
      first: 't',
      value: 'readQkv(sequence.start + row, 2u, keyHead, d)',
      interleaved: true,
    })}
    workgroupBarrier();
    for (var i = 0u; i < ${4 * steps}u; i++) { o[i] *= shrink[i % 4u]; }
    ${outputProducts('o', 'weights', 'looped', constants, sizes)}
    workgroupBarrier();
  }
  reduced[lane] = total;
  workgroupBarrier();
  ${overThreads('sum', 'sum')}
  let factor = select(vec4f(0.0), 1.0 / sum, sum > vec4f(0.0));
  ${writeOutput('writeY', '0u', sizes, 'o[step * 4u + r] * factor[r]')}
  if (tx == 0u) {
    let logSum = select(vec4f(${NO_KEYS}), largest + log(sum), sum > vec4f(0.0));
    for (var r = 0; r < 4; r++) {
      if (query[r] < sequence.count) { lse[u32(sequence.start + query[r]) * uniforms.heads + head] = logSum[r]; }
    }
  }
}`,
  };
});
