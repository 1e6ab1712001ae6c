import { tensor1d, type Tensor1D } from '@tensorflow/tfjs-core';
import type { WebGPUBackend } from '@tensorflow/tfjs-backend-webgpu';
import { engine } from '@tensorflow/tfjs-core';
import { describe, expect, it } from 'vitest';
import { describeBackends, normals, runPoisoned } from '../testing';
import { NAN } from './constants';
import { dispatch, makeOutput } from './dispatch';
import { layout } from './layout';
import { PHILOX } from './philox';
import { DispatchProfile } from './profile';
import { threadsForRow, workgroupSum } from './reduce';
import { WORKGROUP_INDEX, WORKGROUP_PARAMETERS, shaderVariants, spread } from './shader';
import { uniformBuffer } from './uniforms';

describeBackends('dispatch', (backend) => {
  if (backend.name !== 'webgpu') {
    it('is for webgpu alone', () => {
      expect(backend.device.gpuDevice).toBeUndefined();
    });
    return;
  }
  const webgpu = (): WebGPUBackend => backend.device.tfjsBackend as WebGPUBackend;
  const gpu = (): GPUDevice => backend.device.gpuDevice!;
  const output = (size: number) => makeOutput(webgpu(), [size]);
  const asTensor = (info: ReturnType<typeof output>): Tensor1D => engine().makeTensorFromTensorInfo(info) as Tensor1D;

  it('reaches every workgroup of a count that one dimension does not hold', async () => {
    const count = 70_001;
    const number = shaderVariants('number', () => {
      const io = layout({ uniforms: { count: 'u32' }, buffers: { y: 'write array<f32>' } });
      return {
        layout: io,
        code: /* wgsl */ `
${io.wgsl}
@compute @workgroup_size(1)
fn main(${WORKGROUP_PARAMETERS}) {
  let index = ${WORKGROUP_INDEX};
  if (index < uniforms.count) { y[index] = f32(index + lane); }
}`,
      };
    });
    const [values] = await runPoisoned(backend, () => {
      const y = output(count);
      dispatch(webgpu(), { shader: number({}), buffers: { y }, uniforms: { count }, workgroups: spread(count) });
      return [asTensor(y)];
    });
    expect(values!.every((value, i) => value === i)).toBe(true);
  });

  it('hands uniforms over bit by bit', async () => {
    const echo = shaderVariants('echo', () => {
      const io = layout({
        uniforms: { unsigned: 'u32', signed: 'i32', real: 'f32', last: 'u32', more: 'f32' },
        buffers: { y: 'write array<f32>' },
      });
      return {
        layout: io,
        code: /* wgsl */ `
${io.wgsl}
@compute @workgroup_size(1)
fn main() {
  y[0] = f32(uniforms.unsigned);
  y[1] = f32(uniforms.signed);
  y[2] = uniforms.real;
  y[3] = f32(uniforms.last);
  y[4] = uniforms.more;
}`,
      };
    });
    const uniforms = { more: 0.1, unsigned: 2 ** 31, signed: -7, real: -1e-20, last: 2 ** 32 - 256 };
    const [values] = await runPoisoned(backend, () => {
      const y = output(5);
      dispatch(webgpu(), { shader: echo({}), buffers: { y }, uniforms, workgroups: [1, 1, 1] });
      return [asTensor(y)];
    });
    expect(Array.from(values!)).toEqual([2 ** 31, -7, Math.fround(-1e-20), 2 ** 32 - 256, Math.fround(0.1)]);
    expect(uniformBuffer(gpu(), [1, 2])).toBe(uniformBuffer(gpu(), [1, 2]));
    expect(uniformBuffer(gpu(), [1, 2])).not.toBe(uniformBuffer(gpu(), [1, 3]));
  });

  it('draws the Philox numbers that its authors publish', async () => {
    // kat_vectors of Random123, philox4x32 7: counter, key, result.
    const vectors = [
      [0, 0, 0, 0, 0, 0, 0x5f6fb709, 0x0d893f64, 0x4f121f81, 0x4f730a48],
      [...new Array<number>(6).fill(0xffffffff), 0x5207ddc2, 0x45165e59, 0x4d8ee751, 0x8c52f662],
      [
        0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344, 0xa4093822, 0x299f31d0, 0x4dfccaba, 0x190a87f0, 0xc47362ba,
        0xb6b5242a,
      ],
    ];
    const draw = shaderVariants('philox', () => {
      const io = layout({ uniforms: {}, buffers: { words: 'read array<u32>', halves: 'write array<f32>' } });
      return {
        layout: io,
        code: /* wgsl */ `
${io.wgsl}
${PHILOX}
@compute @workgroup_size(1)
fn main() {
  let counter = vec4u(words[0], words[1], words[2], words[3]);
  let drawn = philox4x32(counter, vec2u(words[4], words[5]));
  for (var i = 0u; i < 4u; i++) {
    halves[2u * i] = f32(drawn[i] >> 16u);
    halves[2u * i + 1u] = f32(drawn[i] & 0xffffu);
  }
}`,
      };
    });
    for (const vector of vectors) {
      const words = tensor1d(Int32Array.from(vector.slice(0, 6)), 'int32');
      const [halves] = await runPoisoned(backend, () => {
        const y = output(8);
        dispatch(webgpu(), { shader: draw({}), buffers: { words, halves: y }, uniforms: {}, workgroups: [1, 1, 1] });
        return [asTensor(y)];
      });
      expect([0, 1, 2, 3].map((i) => halves![2 * i]! * 2 ** 16 + halves![2 * i + 1]!)).toEqual(vector.slice(6));
    }
  });

  it.each([32, 64, 128, 256])('adds over %d threads, and has NaN where it is asked for', async (threads) => {
    const add = shaderVariants('add', (constants: { threads: number }) => {
      const io = layout({ uniforms: {}, buffers: { x: 'read array<f32>', y: 'write array<f32>' } });
      return {
        layout: io,
        code: /* wgsl */ `
${io.wgsl}
${workgroupSum('f32', constants.threads)}
${NAN}
@compute @workgroup_size(${constants.threads})
fn main(@builtin(local_invocation_index) lane: u32) {
  let first = workgroupSum(lane, x[lane]);
  let second = workgroupSum(lane, first);
  if (lane == 0u) { y[0] = first; y[1] = second; y[2] = notANumber(lane); }
}`,
      };
    });
    const x = tensor1d(Float32Array.from({ length: threads }, (_, i) => i));
    const [values] = await runPoisoned(backend, () => {
      const y = output(3);
      dispatch(webgpu(), { shader: add({ threads }), buffers: { x, y }, uniforms: {}, workgroups: [1, 1, 1] });
      return [asTensor(y)];
    });
    const total = (threads * (threads - 1)) / 2;
    expect(Array.from(values!)).toEqual([total, total * threads, NaN]);
  });

  it('refuses more workgroups than the device takes, before it touches the GPU', () => {
    const y = output(1);
    const wide = { label: 'wide', code: '', layout: layout({ uniforms: {}, buffers: { y: 'write array<f32>' } }) };
    const run = () => dispatch(webgpu(), { shader: wide, buffers: { y }, uniforms: {}, workgroups: [70_000, 1, 1] });
    expect(run).toThrow(/wide: 70000 x 1 x 1 workgroups, but the device takes \d+ in one dimension/);
  });

  it('refuses to time what the device cannot', () => {
    const without = Object.create(gpu(), { features: { value: new Set(['shader-f16']) } }) as GPUDevice;
    expect(() => new DispatchProfile(without)).toThrow('no timestamp-query');
  });

  it('times its dispatches', async () => {
    expect(gpu().features.has('timestamp-query'), 'every GPU that tests run on has timestamps').toBe(true);
    const copy = shaderVariants('copy', () => {
      const io = layout({ uniforms: {}, buffers: { x: 'read array<f32>', y: 'write array<f32>' } });
      return {
        layout: io,
        code: /* wgsl */ `
${io.wgsl}
@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) { y[id.x] = x[id.x]; }`,
      };
    });
    const x = tensor1d(normals(1, 256));
    const profile = new DispatchProfile(gpu());
    const y = output(256);
    for (let i = 0; i < 3; i++)
      dispatch(webgpu(), { shader: copy({}), buffers: { x, y }, uniforms: {}, workgroups: [4, 1, 1] });
    expect(await asTensor(y).data()).toEqual(await x.data());
    const times = await profile.stop();
    expect(times.map(({ label }) => label)).toEqual(['copy {}', 'copy {}', 'copy {}']);
    expect(times.every(({ milliseconds }) => milliseconds >= 0)).toBe(true);
  });
});

describe('shaderVariants', () => {
  it('writes each variant once', () => {
    let written = 0;
    const variant = shaderVariants('counted', ({ size }: { size: number }) => ({
      code: `${size} ${written++}`,
      layout: layout({ uniforms: {}, buffers: {} }),
    }));
    expect(variant({ size: 4 })).toBe(variant({ size: 4 }));
    expect(variant({ size: 8 }).code).toBe('8 1');
    expect(variant({ size: 8 }).label).toBe('counted {"size":8}');
  });
});

describe('spread', () => {
  it('covers the count and stays within a dimension', () => {
    for (const count of [1, 65_535, 65_536, 131_071, 1_000_003]) {
      const [across, down, deep] = spread(count);
      expect(across * down).toBeGreaterThanOrEqual(count);
      expect(across * (down - 1)).toBeLessThan(count);
      expect(Math.max(across, down)).toBeLessThanOrEqual(65_535);
      expect(deep).toBe(1);
    }
    expect(spread(0)).toEqual([0, 1, 1]);
  });
});

describe('threadsForRow', () => {
  it('is a power of two between 32 and 256', () => {
    expect([1, 128, 129, 512, 1024, 50_257].map(threadsForRow)).toEqual([32, 32, 64, 128, 256, 256]);
  });
});
