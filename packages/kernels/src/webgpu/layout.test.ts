import type { TensorInfo } from '@tensorflow/tfjs-core';
import { expect, it } from 'vitest';
import { layout } from './layout';

const tensor = (name: string): TensorInfo => ({ dataId: { name }, shape: [1], dtype: 'float32' });
const [x, y, residual] = ['x', 'y', 'residual'].map(tensor) as [TensorInfo, TensorInfo, TensorInfo];

const variant = (adding: boolean) =>
  layout({
    uniforms: { count: 'u32', scale: 'f32', first: 'i32' },
    buffers: { x: 'read array<vec4f>', residual: adding ? 'read array<f32>' : undefined, y: 'write array<f32>' },
  });

it('gives the struct, the bindings that a variant has, and the uniforms after them', () => {
  expect(variant(true).wgsl).toBe(`struct Uniforms { count: u32, scale: f32, first: i32 }
@group(0) @binding(0) var<storage, read> x: array<vec4f>;
@group(0) @binding(1) var<storage, read> residual: array<f32>;
@group(0) @binding(2) var<storage, read_write> y: array<f32>;
@group(0) @binding(3) var<uniform> uniforms: Uniforms;`);
  expect(variant(false).wgsl).toContain(`@group(0) @binding(1) var<storage, read_write> y: array<f32>;
@group(0) @binding(2) var<uniform> uniforms: Uniforms;`);
});

it('brings numbers and tensors into the order of the declaration, by name', () => {
  const io = variant(true);
  expect(io.words({ first: -1, scale: 1.5, count: 7 })).toEqual([7, 0x3fc00000, 0xffffffff]);
  expect(io.bind('op', { y, x, residual })).toEqual([x, residual, y]);
});

it('refuses a tensor that is missing, and one that nobody declared', () => {
  expect(() => variant(true).bind('op', { x, y, residual: undefined })).toThrow(
    "op: no tensor is given for the shader's buffer residual",
  );
  expect(() => variant(false).bind('op', { x, y, residual })).toThrow(
    'op: the shader has no buffer residual, which a tensor is given for',
  );
});

it('declares a struct once, and puts arrays and structs at multiples of 16 bytes', () => {
  const ENTRY = { struct: 'Entry', fields: { size: 'u32', rate: 'f32', start: 'u32', end: 'u32' } } as const;
  const io = layout({
    uniforms: { one: ENTRY, two: ENTRY, blocks: 'u32', bounds: 'array<vec4f, 1>' },
    buffers: {},
  });
  expect(io.wgsl).toBe(`struct Entry { size: u32, rate: f32, start: u32, end: u32 }
struct Uniforms { one: Entry, two: Entry, blocks: u32, bounds: array<vec4f, 1> }
@group(0) @binding(0) var<uniform> uniforms: Uniforms;`);
  const entry = (size: number) => ({ end: 4, start: 3, size, rate: 0 });
  const words = io.words({ one: entry(1), two: entry(5), blocks: 9, bounds: [1, 0, 0, -1] });
  expect(words).toEqual([1, 0, 3, 4, 5, 0, 3, 4, 9, 0, 0, 0, 0x3f800000, 0, 0, 0xbf800000]);
});

it('has no struct, and takes no words, where there are no uniforms', () => {
  const io = layout({ uniforms: {}, buffers: { y: 'write array<u32>' } });
  expect(io.wgsl).toBe('@group(0) @binding(0) var<storage, read_write> y: array<u32>;');
  expect(io.words({})).toBeUndefined();
});
