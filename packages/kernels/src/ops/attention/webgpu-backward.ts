// Idea: the score matrix is made again from the log-sums, a tile at a time, and never written.
// Cost: 3 products of rows x keys x head size by the queries, 4 by the keys, in float32, half of them by causality; qkv and dy read once
// a tile of own rows, dqkv written once. Dropout draws once for 4 probabilities of each of the two.

import { shaderVariants } from '../../webgpu/shader';
import {
  queryGradientLayout,
  keyGradientLayout,
  KEY_HEAD,
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
  bitsByKey,
  bitsByQuery,
  writeOutput,
  writer,
  zeroRow,
  type TileConstants,
} from './wgsl';

/** Bytes of workgroup memory each backward kernel takes at most. */
export function backwardWorkgroupBytes(constants: Pick<TileConstants, 'headSize' | 'ownRows' | 'loopRows'>): number {
  const { pitch, threads, weightPitch } = tileSizes(constants);
  const { ownRows, loopRows } = constants;
  return (
    16 * (2 * (ownRows + loopRows) * pitch + Math.max(loopRows * weightPitch + threads, 2 * loopRows * weightPitch))
  );
}

const ENTRY = (threads: number): string => /* wgsl */ `
@compute @workgroup_size(${threads})
fn main(
  @builtin(workgroup_id) workgroup: vec3u,
  @builtin(num_workgroups) workgroups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {`;

/**
 * The gradient by the queries (Dao 2023, FlashAttention-2, section 3.1): a workgroup owns a tile of queries, computes
 * their probabilities again from the log-sums and goes over the keys. It also leaves delta = sum(dy * y) of each row
 * for the kernel that follows, and zeros in the rows of no sequence.
 */
export const queryGradientShader = shaderVariants('attention backward, queries', (constants: TileConstants) => {
  const sizes = tileSizes(constants);
  const { across, threads, columns, depth, weightPitch, pitch } = sizes;
  const { ownRows, loopRows } = constants;
  const type = elementType(constants);
  const io = queryGradientLayout(constants, type);
  return {
    layout: io,
    code: /* wgsl */ `
${preamble(constants, io)}
${reader('readQkv', 'qkv', 'qkv', constants)}
${reader('readDy', 'dy', 'heads', constants)}
${reader('readY', 'y', 'heads', constants)}
${writer('writeDqkv', 'dqkv', 'qkv', constants)}
${tileArray('queries', ownRows, sizes)}
${tileArray('slopes', ownRows, sizes)}
${tileArray('keys', loopRows, sizes)}
${tileArray('values', loopRows, sizes)}
var<workgroup> weights: array<vec4f, ${loopRows * weightPitch}>;
var<workgroup> reduced: array<vec4f, ${threads}>;
${ENTRY(threads)}
  let head = workgroup.y;
  ${KEY_HEAD}
  ${freeRows(threads, 'lane', zeroRow(depth))}
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
  ${loadTile('slopes', ownRows, sizes, {
    first: 'first',
    value: 'readDy(sequence.start + row, 0u, head, d)',
    interleaved: false,
  })}
  workgroupBarrier();
  var partial = vec4f(0.0);
  var logSum = vec4f(${NO_KEYS});
  for (var r = 0; r < 4; r++) {
    if (query[r] >= sequence.count) { continue; }
    let row = sequence.start + query[r];
    logSum[r] = lse[u32(row) * uniforms.heads + head];
    for (var d = tx; d < ${depth}u; d += ${across}u) {
      partial[r] += dot(slopes[(ty * 4u + u32(r)) * ${pitch}u + d], readY(row, 0u, head, d));
    }
  }
  reduced[lane] = partial;
  workgroupBarrier();
  ${overThreads('delta', 'sum')}
  if (tx == 0u) {
    for (var r = 0; r < 4; r++) {
      if (query[r] < sequence.count) { deltas[u32(sequence.start + query[r]) * uniforms.heads + head] = delta[r]; }
    }
  }
  ${outputZeros('o', sizes)}
  let end = min(first + ${ownRows}, sequence.keyEnd);
  for (var t = sequence.keyStart / ${loopRows} * ${loopRows}; t < end; t += ${loopRows}) {
    ${loadTile('keys', loopRows, sizes, {
      first: 't',
      value: 'readQkv(sequence.start + row, 1u, keyHead, d)',
      interleaved: true,
    })}
    ${loadTile('values', loopRows, sizes, {
      first: 't',
      value: 'readQkv(sequence.start + row, 2u, keyHead, d)',
      interleaved: true,
    })}
    workgroupBarrier();
    ${scoreProducts('s', 'queries', 'keys', sizes)}
    ${scoreProducts('dp', 'slopes', 'values', sizes)}
    ${bitsByQuery(constants, sizes)}
    for (var c = 0u; c < ${columns}u; c++) {
      let key = t + i32(tx * ${columns}u + c);
      let seen = (vec4i(key) <= query) & vec4<bool>(key >= sequence.keyStart && key < sequence.keyEnd);
      let p = select(vec4f(0.0), exp(s[c] - logSum), seen);
      weights[(c * ${across}u + tx) * ${weightPitch}u + ty] = p * (${dropped(constants, 'dp[c]')} - delta);
    }
    workgroupBarrier();
    ${outputProducts('o', 'weights', 'keys', constants, sizes)}
    workgroupBarrier();
  }
  ${writeOutput('writeDqkv', '0u', sizes, 'o[step * 4u + r] * uniforms.scale')}
}`,
  };
});

/**
 * The gradients by the keys and values: a workgroup owns a tile of keys and goes over the queries that see them, in each
 * of the heads that share the keys.
 */
export const keyGradientShader = shaderVariants('attention backward, keys', (constants: TileConstants) => {
  const sizes = tileSizes(constants);
  const { across, threads, columns, weightPitch } = sizes;
  const { ownRows, loopRows } = constants;
  const type = elementType(constants);
  const io = keyGradientLayout(constants, type);
  return {
    layout: io,
    code: /* wgsl */ `
${preamble(constants, io)}
${reader('readQkv', 'qkv', 'qkv', constants)}
${reader('readDy', 'dy', 'heads', constants)}
${writer('writeDqkv', 'dqkv', 'qkv', constants)}
${tileArray('keys', ownRows, sizes)}
${tileArray('values', ownRows, sizes)}
${tileArray('queries', loopRows, sizes)}
${tileArray('slopes', loopRows, sizes)}
var<workgroup> keyWeights: array<vec4f, ${loopRows * weightPitch}>;
var<workgroup> valueWeights: array<vec4f, ${loopRows * weightPitch}>;
${ENTRY(threads)}
  let keyHead = workgroup.y;
  let group = uniforms.heads / uniforms.keyHeads;
  let sequence = sequenceAt(workgroup.z);
  let first = i32(workgroup.x) * ${ownRows};
  if (first >= sequence.count) { return; }
  let tx = lane % ${across}u;
  let ty = lane / ${across}u;
  let key = vec4i(first + i32(ty) * 4) + vec4i(0, 1, 2, 3);
  let usable = (key >= vec4i(sequence.keyStart)) & (key < vec4i(sequence.keyEnd));
  ${loadTile('keys', ownRows, sizes, {
    first: 'first',
    value: 'readQkv(sequence.start + row, 1u, keyHead, d)',
    interleaved: false,
  })}
  ${loadTile('values', ownRows, sizes, {
    first: 'first',
    value: 'readQkv(sequence.start + row, 2u, keyHead, d)',
    interleaved: false,
  })}
  ${outputZeros('k', sizes)}
  ${outputZeros('v', sizes)}
  // No query sees a key before keyStart or from keyEnd on; key j is seen by queries j and later.
  let anySeen = first < sequence.keyEnd && first + ${ownRows} > sequence.keyStart;
  let end = select(0, sequence.count, anySeen);
  for (var head = keyHead * group; head < (keyHead + 1u) * group; head++) {
  for (var t = first / ${loopRows} * ${loopRows}; t < end; t += ${loopRows}) {
    ${loadTile('queries', loopRows, sizes, {
      first: 't',
      value: 'readQkv(sequence.start + row, 0u, head, d) * uniforms.scale',
      interleaved: true,
    })}
    ${loadTile('slopes', loopRows, sizes, {
      first: 't',
      value: 'readDy(sequence.start + row, 0u, head, d)',
      interleaved: true,
    })}
    workgroupBarrier();
    ${scoreProducts('s', 'keys', 'queries', sizes)}
    ${scoreProducts('dp', 'values', 'slopes', sizes)}
    ${bitsByKey(constants, sizes)}
    for (var c = 0u; c < ${columns}u; c++) {
      let query = t + i32(tx * ${columns}u + c);
      var logSum = ${NO_KEYS};
      var delta = 0.0;
      if (query < sequence.count) {
        let index = u32(sequence.start + query) * uniforms.heads + head;
        logSum = lse[index];
        delta = deltas[index];
      }
      let seen = usable & (key <= vec4i(query)) & vec4<bool>(query < sequence.count);
      let p = select(vec4f(0.0), exp(s[c] - logSum), seen);
      keyWeights[(c * ${across}u + tx) * ${weightPitch}u + ty] = p * (${dropped(constants, 'dp[c]')} - delta);
      valueWeights[(c * ${across}u + tx) * ${weightPitch}u + ty] = ${dropped(constants, 'p')};
    }
    workgroupBarrier();
    ${outputProducts('k', 'keyWeights', 'queries', constants, sizes)}
    ${outputProducts('v', 'valueWeights', 'slopes', constants, sizes)}
    workgroupBarrier();
  }
  }
  ${writeOutput('writeDqkv', '1u', sizes, 'k[step * 4u + r]', 'keyHead')}
  ${writeOutput('writeDqkv', '2u', sizes, 'v[step * 4u + r]', 'keyHead')}
}`,
  };
});
