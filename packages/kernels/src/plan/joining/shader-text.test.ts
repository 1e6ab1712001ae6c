import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { linkModules } from './link';
import { declaredWorkgroupBytes, parseShader, printShader, renameIn } from './shader-text';

const SNAPSHOTS = join(import.meta.dirname, '../../__snapshots__/shaders');

describe('a shader taken apart', () => {
  it.each(readdirSync(SNAPSHOTS))('%s says the same once it is put together', (file) => {
    const parsed = parseShader(readFileSync(join(SNAPSHOTS, file), 'utf8'));
    // Some have threads in two dimensions, or as many as a constant says.
    if (parsed === undefined) {
      expect(readFileSync(join(SNAPSHOTS, file), 'utf8')).toMatch(/@workgroup_size\((\d+, |THREADS\))/);
      return;
    }
    expect(parseShader(printShader(parsed))).toEqual(parsed);
    const bindings = parsed.declarations.filter(({ binding }) => binding >= 0).map(({ binding }) => binding);
    expect(bindings).toEqual(bindings.map((_, i) => i));
  });

  it('renames what is the module’s own, and no field of that name', () => {
    const names = new Map([
      ['size', 'size_1'],
      ['Uniforms', 'Uniforms_1'],
    ]);
    expect(renameIn('struct Uniforms { size: u32, other: size }', names)).toBe(
      'struct Uniforms_1 { size: u32, other: size_1 }',
    );
    expect(renameIn('{ let a = uniforms.size + size; }', names)).toBe('{ let a = uniforms.size + size_1; }');
  });
});

const module = (text: string) => parseShader(`${text}\n@compute @workgroup_size(64)\nfn main() {}`)!;

describe('linked modules', () => {
  it('say once what they say alike, unless it speaks of what differs', () => {
    const text = `enable f16;
@group(0) @binding(0) var<storage, read> x: array<f32>;
fn twice(a: f32) -> f32 { return 2.0 * a; }
fn first() -> f32 { return twice(x[0]); }`;
    const { directives, declarations, names, bindings } = linkModules([module(text), module(text)]);
    expect(directives).toEqual(['enable f16;']);
    expect(declarations.map(({ name }) => name)).toEqual(['x', 'twice', 'first', 'x_1', 'first_1']);
    expect(declarations.at(-1)!.text).toBe('fn first_1() -> f32 { return twice(x_1[0]); }');
    expect(declarations[3]!.text).toContain('@binding(1)');
    expect([...names[1]!]).toEqual([
      ['x', 'x_1'],
      ['first', 'first_1'],
    ]);
    expect([...bindings[1]!]).toEqual([[0, 1]]);
  });

  it('tell names apart that were told apart before', () => {
    const text = '@group(0) @binding(0) var<storage, read> x: array<f32>;\nfn get() -> f32 { return x[0]; }';
    const twice = linkModules([module(text), module(text)]);
    const { declarations, names } = linkModules([{ ...twice }, module(text)]);
    expect(declarations.map(({ name }) => name)).toEqual(['x', 'get', 'x_1', 'get_1', 'x_2', 'get_2']);
    expect(declarations.at(-1)!.text).toBe('fn get_2() -> f32 { return x_2[0]; }');
    expect(Object.fromEntries(names[1]!)).toEqual({ x: 'x_2', get: 'get_2' });
  });

  it('count the workgroup memory of all of them', () => {
    const one = module('var<workgroup> a: array<vec4u, 10>;\nvar<workgroup> b: atomic<u32>;');
    const linked = linkModules([one, one]);
    expect(linked.declarations.map(({ name }) => name)).toEqual(['a', 'b', 'a_1', 'b_1']);
    expect(declaredWorkgroupBytes(linked)).toBe(2 * (16 * 10 + 4));
  });
});
