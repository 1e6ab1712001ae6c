import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openShaderCompiler, type ShaderCompiler } from '../../testing/shader-compiler';
import { noteAdapter } from '../../webgpu/capabilities';
import { LORA_MATRIX_BYTES } from './webgpu-matrices';
import { NO_WEIGHT } from '../../products/half-weight';
import { chooseInnerVariant, matrixInnerShader } from './webgpu-matrix-inner';
import { matrixWeightGradientShader } from './webgpu-matrix-weight-gradients';

const FEATURES = ['shader-f16', 'subgroups', 'chromium-experimental-subgroup-matrix'];

/** As much of a device as the choice reads. */
function device(storage = 49_152): GPUDevice {
  const made = { features: new Set(FEATURES), limits: { maxComputeWorkgroupStorageSize: storage } };
  const gpuDevice = made as unknown as GPUDevice;
  noteAdapter(gpuDevice, {
    subgroupMinSize: 32,
    subgroupMaxSize: 32,
    subgroupMatrixConfigs: [{ M: 16, N: 16, K: 16, componentType: 'f16', resultComponentType: 'f32' }],
  } as never);
  return gpuDevice;
}

/** Bytes of workgroup memory that a shader declares. */
function declaredBytes(code: string): number {
  const arrays = [...code.matchAll(/var<workgroup> \w+: array<vec4[uf], (\d+)>/g)];
  return arrays.reduce((sum, [, length]) => sum + 16 * Number(length), 0);
}

describe('choice of the inner product', () => {
  it('shares the depth where rows are few, in whole steps, and takes more rows a workgroup where they are many', () => {
    const choose = (rows: number, depth: number) => chooseInnerVariant(device(), { rows, depth });
    expect(choose(384, 1024)).toEqual({ fragments: 1, parts: 4, share: 256 });
    expect(choose(384, 4096)).toEqual({ fragments: 1, parts: 4, share: 1024 });
    expect(choose(384, 96)).toEqual({ fragments: 1, parts: 1, share: 256 });
    expect(choose(2048, 1024)).toEqual({ fragments: 2, parts: 4, share: 256 });
    expect(choose(2048, 3072)).toEqual({ fragments: 2, parts: 4, share: 768 });
    expect(choose(224, 1024)).toEqual({ fragments: 1, parts: 4, share: 256 });
    expect(choose(8192, 1024)).toEqual({ fragments: 2, parts: 2, share: 512 });
    expect(choose(65_536, 6144)).toEqual({ fragments: 2, parts: 8, share: 768 });
  });

  it('covers every depth without an empty share', () => {
    for (const rows of [1, 384, 2048, 8192]) {
      for (let depth = 32; depth <= 6144; depth += 32) {
        const { parts, share } = chooseInnerVariant(device(), { rows, depth })!;
        expect(parts * share).toBeGreaterThanOrEqual(depth);
        expect((parts - 1) * share).toBeLessThan(depth);
      }
    }
  });

  it('is none on a device with less workgroup memory', () => {
    expect(chooseInnerVariant(device(16_384), { rows: 384, depth: 1024 })).toBeUndefined();
  });
});

describe('shaders', () => {
  let compiler: ShaderCompiler;
  beforeAll(async () => {
    compiler = await openShaderCompiler(FEATURES);
  });
  afterAll(() => compiler.dispose());

  const flags = [false, true];
  const valid = async (code: string): Promise<void> => {
    expect(declaredBytes(code)).toBeLessThanOrEqual(LORA_MATRIX_BYTES);
    // The guarantee of workgroup memory is what this compiler has; what the device has is checked where they are chosen.
    const messages = await compiler.messages(code);
    expect(messages.filter((message) => !message.includes('workgroup storage'))).toEqual([]);
  };

  const inners = ([1, 2] as const).flatMap((fragments) =>
    flags.flatMap((factorTransposed) =>
      flags.flatMap((dropout) =>
        (['nothing', 'activated', 'dropped'] as const).flatMap((writes) =>
          flags.slice(0, writes === 'nothing' ? 1 : 2).map((half) => ({
            fragments,
            factorTransposed,
            dropout,
            writes,
            half,
            activation: writes === 'activated' ? ('gelu_tanh' as const) : ('linear' as const),
          })),
        ),
      ),
    ),
  );
  it.each(inners)(
    'of the inner product are valid: $fragments fragments, factor transposed $factorTransposed, dropout $dropout, writes $writes, half $half',
    async (constants) => {
      await valid(matrixInnerShader({ ...constants, prepares: false, ...NO_WEIGHT }).code);
      await valid(
        matrixInnerShader({ ...constants, prepares: true, nested: true, blockShift: 6, nestedShift: 8 }).code,
      );
    },
  );

  it.each(flags)('of the weight gradients are valid: masked %s', async (masked) => {
    for (const activation of ['linear', 'gelu_tanh'] as const) {
      for (const halfSlope of flags) {
        const parts = { innerParts: 4, dInnerParts: 8 };
        await valid(matrixWeightGradientShader({ activation, masked, halfSlope, ...parts }).code);
      }
    }
  });
});
