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
 * The same shader without subgroup matrices, float16 or subgroups wider than four lanes. A lane holds eight sums of a row.
 * A factor is held as its place alone, and read where it is multiplied: a shader that overwrites one between its load and
 * its use fails here. (Values in private arrays would be copied at every call, which a software GPU compiles for minutes.)
 */
function withoutSubgroupMatrices(code: string): string {
  if (!code.includes('chromium_experimental_subgroup_matrix')) return code;
  const arrays = new Map(
    [...code.matchAll(/var<workgroup> (\w+): array<(vec4[uf]), \d+>/g)].map(([, name, type]) => [name!, type!]),
  );
  for (const [, name, type] of code.matchAll(/var<storage, read_write> (\w+): array<(vec4f)>/g)) {
    arrays.set(name!, type!);
  }
  const typeOf = (name: string): string => {
    const type = arrays.get(name);
    if (type === undefined) throw new Error(`no array '${name}' to take subgroup matrices from`);
    return type;
  };
  const helpers = new Map<string, string>();
  const rewritten = rewriteCalls(code, (call, before) => {
    const [name = '', ...rest] = call.arguments.map((text) => text.replace(/^&/, ''));
    if (call.name === 'subgroupMatrixLoad') {
      const [kind = '', layout = ''] = call.types;
      const as = `load${kind}_${layout}_${name}`;
      if (kind === 'Sum') {
        helpers.set(as, loadSum(as, layout, { name, type: typeOf(name) }));
        return `${as}(${rest.join(', ')}, lane)`;
      }
      typeOf(name);
      helpers.set(as, `fn ${as}(offset: u32, stride: u32) -> Place { return Place(offset, stride); }\n`);
      return `${as}(${rest.join(', ')})`;
    }
    if (call.name === 'subgroupMatrixStore') {
      const [layout = ''] = call.types;
      const as = `storeSum_${layout}_${name}`;
      helpers.set(as, storeSum(as, layout, { name, type: typeOf(name) }));
      return `${as}(${rest.join(', ')}, lane)`;
    }
    if (call.name === 'subgroupMatrixMultiplyAccumulate') {
      const [left, right] = call.arguments.slice(0, 2).map((text) => factorOf(text, before)) as [Factor, Factor];
      const as = `multiply_${left.layout}_${left.name}_${right.layout}_${right.name}`;
      helpers.set(as, multiply(as, left, right));
      return `${as}(${call.arguments.join(', ')}, lane)`;
    }
    return `scaleSum(${call.arguments.join(', ')})`;
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
    (code.includes('subgroupShuffle(level')
      ? `fn levelOf(index: u32) -> f32 { return ${/var<storage, read> (code(?:_\d+)?):/.exec(code)![1]}[index]; }`
      : '') +
    (code.includes('subgroupShuffleXor(word') ? NEIGHBOURS : '') +
    [...helpers.values()].join('')
  );
}

const TYPES = /* wgsl */ `
struct Place { offset: u32, stride: u32 }
struct Sum { low: vec4f, high: vec4f }
fn scaleSum(a: Sum, factor: f32) -> Sum { return Sum(a.low * factor, a.high * factor); }
fn lowOf(word: vec4u) -> vec4f { return vec4f(unpack2x16float(word.x), unpack2x16float(word.y)); }
fn highOf(word: vec4u) -> vec4f { return vec4f(unpack2x16float(word.z), unpack2x16float(word.w)); }
fn halfOf(word: vec4u, i: u32) -> f32 { return unpack2x16float(word[(i >> 1u) & 3u])[i & 1u]; }
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

/** Where a factor lies: an array of vec4u, each of eight float16. */
interface Factor {
  readonly name: string;
  readonly layout: string;
}

/** What a load, already rewritten, or the variable that was made of one further up says of a factor. */
function factorOf(text: string, before: string): Factor {
  const loaded = /^load(?:Left|Right)_(row_major|col_major)_(\w+)\(/.exec(text);
  const declared = [...before.matchAll(/let (\w+) = subgroupMatrixLoad<(?:Left|Right), (\w+)>\(&(\w+),/g)]
    .filter(([, variable]) => variable === text)
    .at(-1)
    ?.slice(1);
  const [layout, name] = loaded?.slice(1) ?? declared?.slice(1) ?? [];
  if (layout === undefined || name === undefined) throw new Error(`no load of the factor '${text}' is to be seen`);
  return { layout, name };
}

/** WGSL that adds a product of fragments to a lane's sums; `stride` vec4u lie from line to line of each. */
function multiply(as: string, left: Factor, right: Factor): string {
  const leftWord =
    left.layout === 'row_major'
      ? `let word = ${left.name}[a.offset + row * a.stride + part];`
      : `var word: vec4u;
    for (var k = 0u; k < 4u; k++) {
      let at = a.offset + (part * 8u + 2u * k) * a.stride + (row >> 3u);
      word[k] = pack2x16float(vec2f(halfOf(${left.name}[at], row), halfOf(${left.name}[at + a.stride], row)));
    }`;
  const sums =
    right.layout === 'row_major'
      ? `for (var k = 0u; k < 8u; k++) {
      let factor = halfOf(word, k);
      let columns = ${right.name}[b.offset + (part * 8u + k) * b.stride + (lane & 1u)];
      sum.low += factor * lowOf(columns);
      sum.high += factor * highOf(columns);
    }`
      : `let low = lowOf(word);
    let high = highOf(word);
    for (var e = 0u; e < 4u; e++) {
      let at = b.offset + ((lane & 1u) * 8u + e) * b.stride + part;
      let near = ${right.name}[at];
      let far = ${right.name}[at + 4u * b.stride];
      sum.low[e] += dot(low, lowOf(near)) + dot(high, highOf(near));
      sum.high[e] += dot(low, lowOf(far)) + dot(high, highOf(far));
    }`;
  return /* wgsl */ `
fn ${as}(a: Place, b: Place, c: Sum, lane: u32) -> Sum {
  var sum = c;
  let row = lane / 2u;
  for (var part = 0u; part < ${FRAGMENT / 8}u; part++) {
    ${leftWord}
    ${sums}
  }
  return sum;
}`;
}

/** An array of float32, which some shaders keep in words of integers. */
interface Held {
  readonly name: string;
  readonly type: string;
}

/** WGSL: index of an element of a lane's sums, whose fragment begins at vec4 `offset`. */
function sumIndex(layout: string, column: string): string {
  return layout === 'col_major'
    ? `(offset + (${column}) * stride) * 4u + lane / 2u`
    : `(offset + (lane / 2u) * stride) * 4u + ${column}`;
}

function loadSum(as: string, layout: string, { name, type }: Held): string {
  const value = type === 'vec4u' ? `bitcast<f32>(${name}[i >> 2u][i & 3u])` : `${name}[i >> 2u][i & 3u]`;
  return /* wgsl */ `
fn single_${as}(i: u32) -> f32 { return ${value}; }
fn ${as}(offset: u32, stride: u32, lane: u32) -> Sum {
  var sum: Sum;
  for (var e = 0u; e < 4u; e++) {
    sum.low[e] = single_${as}(${sumIndex(layout, '(lane & 1u) * 8u + e')});
    sum.high[e] = single_${as}(${sumIndex(layout, '(lane & 1u) * 8u + 4u + e')});
  }
  return sum;
}`;
}

function storeSum(as: string, layout: string, { name, type }: Held): string {
  const stored = (source: string): string => (type === 'vec4u' ? `bitcast<u32>(${source})` : source);
  return /* wgsl */ `
fn ${as}(offset: u32, sum: Sum, stride: u32, lane: u32) {
  for (var e = 0u; e < 4u; e++) {
    let low = ${sumIndex(layout, '(lane & 1u) * 8u + e')};
    ${name}[low >> 2u][low & 3u] = ${stored('sum.low[e]')};
    let high = ${sumIndex(layout, '(lane & 1u) * 8u + 4u + e')};
    ${name}[high >> 2u][high & 3u] = ${stored('sum.high[e]')};
  }
}`;
}

interface Call {
  readonly name: string;
  /** Template arguments. */
  readonly types: readonly string[];
  readonly arguments: readonly string[];
}

/** Replaces calls of subgroupMatrix functions, the last one first, so the innermost; `before` is the code before a call. */
function rewriteCalls(code: string, rewrite: (call: Call, before: string) => string): string {
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
    const before = rest.slice(0, last.index);
    rest = before + rewrite(call, before) + rest.slice(at);
  }
}
