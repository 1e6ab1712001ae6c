import { noteAdapter } from '../webgpu/capabilities';
import { FRAGMENT, LANES } from '../webgpu/subgroup-matrix';

/** What a device with subgroup matrices has beside a software GPU's features. */
const FEATURES = ['shader-f16', 'subgroups', 'chromium-experimental-subgroup-matrix'];
const INFO = {
  subgroupMinSize: LANES,
  subgroupMaxSize: LANES,
  subgroupMatrixConfigs: [{ M: 16, N: 16, K: 16, componentType: 'f16', resultComponentType: 'f32' }],
};

/**
 * Lets a device pass for one with 16 x 16 x 16 subgroup matrices in subgroups of 32, so that the shaders on them run where
 * no hardware has them: what they are made of is rewritten in plain WGSL. Before the device's first product.
 */
export function emulateSubgroupMatrices(device: GPUDevice): void {
  const features: ReadonlySet<string> = new Set([...device.features, ...FEATURES]);
  Object.defineProperty(device, 'features', { value: features, configurable: true });
  noteAdapter(device, INFO as never);
  const createShaderModule = device.createShaderModule.bind(device);
  device.createShaderModule = (descriptor) =>
    createShaderModule({ ...descriptor, code: withoutSubgroupMatrices(descriptor.code) });
}

/**
 * The same shader without subgroup matrices, float16 or subgroups wider than four lanes. A lane holds a row of a left
 * fragment, eight columns of a right one, and eight sums of a row.
 */
export function withoutSubgroupMatrices(code: string): string {
  if (!code.includes('chromium_experimental_subgroup_matrix')) return code;
  const arrays = new Map(
    [...code.matchAll(/var<workgroup> (\w+): array<(vec4[uf]), \d+>/g)].map(([, name, type]) => [name!, type!]),
  );
  for (const [, name, type] of code.matchAll(/var<storage, read_write> (\w+): array<(vec4f)>/g)) {
    arrays.set(name!, type!);
  }
  const used = new Set<string>();
  const rewritten = rewriteCalls(code, (call) => {
    const [name = '', ...rest] = call.arguments.map((text) => text.replace(/^&/, ''));
    if (call.name === 'subgroupMatrixLoad') {
      const [type = '', layout = ''] = call.types;
      used.add(`load${type} ${layout} ${name}`);
      return `load${type}_${layout}_${name}(${rest.join(', ')}, lane)`;
    }
    if (call.name === 'subgroupMatrixStore') {
      const [layout = ''] = call.types;
      used.add(`storeSum ${layout} ${name}`);
      return `storeSum_${layout}_${name}(${rest.join(', ')}, lane)`;
    }
    if (call.name === 'subgroupMatrixMultiplyAccumulate') return `multiply(${call.arguments.join(', ')})`;
    return `scaleSum(${call.arguments.join(', ')})`;
  });
  const helpers = [...used].map((text) => {
    const [kind = '', layout = '', name = ''] = text.split(' ');
    const type = arrays.get(name);
    if (type === undefined) throw new Error(`no array '${name}' to take subgroup matrices from`);
    return helper(kind, layout === 'col_major', `${kind}_${layout}_${name}`, { name, type });
  });
  return (
    rewritten
      .replace(/enable (f16|chromium_experimental_subgroup_matrix);/g, '')
      .replace(/diagnostic\(off, chromium\.subgroup_matrix_uniformity\);/, '')
      .replace(/alias (Left|Right|Sum) = subgroup_matrix_\w+<\w+, \d+, \d+>;/g, '')
      .replace('bitcast<u32>(vec2<f16>(pair))', 'pack2x16float(pair)')
      // The sixteen levels that lanes hold for each other; four lanes hold too few.
      .replace(/subgroupShuffle\(level, /g, 'levelOf(')
      .replace(/subgroupShuffleXor\(word, (\d)u\)/g, 'wordOfNeighbour(word, thread, $1u)') +
    TYPES +
    (code.includes('subgroupShuffle(level') ? 'fn levelOf(index: u32) -> f32 { return code[index]; }' : '') +
    (code.includes('subgroupShuffleXor(word') ? NEIGHBOURS : '') +
    helpers.join('')
  );
}

const TYPES = /* wgsl */ `
struct Left { row: array<f32, ${FRAGMENT}> }
struct Right { low: array<vec4f, ${FRAGMENT}>, high: array<vec4f, ${FRAGMENT}> }
struct Sum { low: vec4f, high: vec4f }
fn multiply(a: Left, b: Right, c: Sum) -> Sum {
  var sum = c;
  for (var k = 0; k < ${FRAGMENT}; k++) {
    sum.low += a.row[k] * b.low[k];
    sum.high += a.row[k] * b.high[k];
  }
  return sum;
}
fn scaleSum(a: Sum, factor: f32) -> Sum { return Sum(a.low * factor, a.high * factor); }
`;

/** A lane may lie in another of the narrow subgroups: its word comes through workgroup memory. */
const NEIGHBOURS = /* wgsl */ `
var<workgroup> neighbourWords: array<u32, 1024>;
fn wordOfNeighbour(word: u32, thread: u32, distance: u32) -> u32 {
  workgroupBarrier();
  neighbourWords[thread] = word;
  workgroupBarrier();
  return neighbourWords[thread ^ distance];
}
`;

interface Held {
  readonly name: string;
  readonly type: string;
}

/** WGSL of a load or store of a fragment that begins at an element of an array, `stride` elements from line to line. */
function helper(kind: string, columnMajor: boolean, as: string, { name, type }: Held): string {
  const index = (perElement: number, row: string, column: string): string =>
    columnMajor
      ? `(offset + (${column}) * stride) * ${perElement}u + ${row}`
      : `(offset + (${row}) * stride) * ${perElement}u + ${column}`;
  const parameters = 'offset: u32, stride: u32, lane: u32';
  const half = `fn half_${as}(i: u32) -> f32 { return unpack2x16float(${name}[i >> 3u][(i >> 1u) & 3u])[i & 1u]; }`;
  const value = type === 'vec4u' ? `bitcast<f32>(${name}[i >> 2u][i & 3u])` : `${name}[i >> 2u][i & 3u]`;
  switch (kind) {
    case 'loadLeft':
      return /* wgsl */ `
${half}
fn ${as}(${parameters}) -> Left {
  var a: Left;
  for (var k = 0u; k < ${FRAGMENT}u; k++) { a.row[k] = half_${as}(${index(8, 'lane / 2u', 'k')}); }
  return a;
}`;
    case 'loadRight':
      return /* wgsl */ `
${half}
fn ${as}(${parameters}) -> Right {
  var b: Right;
  for (var k = 0u; k < ${FRAGMENT}u; k++) {
    for (var e = 0u; e < 4u; e++) {
      b.low[k][e] = half_${as}(${index(8, 'k', '(lane & 1u) * 8u + e')});
      b.high[k][e] = half_${as}(${index(8, 'k', '(lane & 1u) * 8u + 4u + e')});
    }
  }
  return b;
}`;
    case 'loadSum':
      return /* wgsl */ `
fn single_${as}(i: u32) -> f32 { return ${value}; }
fn ${as}(${parameters}) -> Sum {
  var sum: Sum;
  for (var e = 0u; e < 4u; e++) {
    sum.low[e] = single_${as}(${index(4, 'lane / 2u', '(lane & 1u) * 8u + e')});
    sum.high[e] = single_${as}(${index(4, 'lane / 2u', '(lane & 1u) * 8u + 4u + e')});
  }
  return sum;
}`;
    default: {
      const stored = (source: string): string => (type === 'vec4u' ? `bitcast<u32>(${source})` : source);
      return /* wgsl */ `
fn ${as}(offset: u32, sum: Sum, stride: u32, lane: u32) {
  for (var e = 0u; e < 4u; e++) {
    let low = ${index(4, 'lane / 2u', '(lane & 1u) * 8u + e')};
    ${name}[low >> 2u][low & 3u] = ${stored('sum.low[e]')};
    let high = ${index(4, 'lane / 2u', '(lane & 1u) * 8u + 4u + e')};
    ${name}[high >> 2u][high & 3u] = ${stored('sum.high[e]')};
  }
}`;
    }
  }
}

interface Call {
  readonly name: string;
  /** Template arguments. */
  readonly types: readonly string[];
  readonly arguments: readonly string[];
}

/** Replaces calls of subgroupMatrix functions, the innermost first. */
function rewriteCalls(code: string, rewrite: (call: Call) => string): string {
  const pattern = /(subgroupMatrix(?:Load|Store|MultiplyAccumulate|ScalarMultiply))(?:<([^>]*)>)?\(/g;
  let rest = code;
  for (;;) {
    const last = [...rest.matchAll(pattern)].at(-1);
    if (last === undefined) return rest;
    const [whole, name = '', types = ''] = last;
    const start = last.index + whole.length;
    const parts: string[] = [];
    let [depth, from, at] = [0, start, start];
    for (; depth >= 0; at++) {
      const letter = rest[at]!;
      if (letter === '(' || letter === '[') depth++;
      if (letter === ')' || letter === ']') depth--;
      if ((letter === ',' && depth === 0) || depth < 0) {
        parts.push(rest.slice(from, at).trim());
        from = at + 1;
      }
    }
    const call = { name, types: types.split(',').map((text) => text.trim()), arguments: parts };
    rest = rest.slice(0, last.index) + rewrite(call) + rest.slice(at);
  }
}
