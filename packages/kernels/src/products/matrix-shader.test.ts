import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openShaderCompiler, type ShaderCompiler } from '../testing/shader-compiler';
import { chooseMatrixVariant } from './variants';
import { hasSubgroupMatrices, noteAdapter } from '../webgpu/capabilities';
import { NO_ADDITIONS } from './additions';
import { workgroupBytes, type MatrixTile } from './matrix-tiles';
import { halfWeightShader } from './half-weight';
import { subgroupMatrixProduct } from './matrix-shader';

const MATRICES = { M: 16, N: 16, K: 16, componentType: 'f16', resultComponentType: 'f32' };
const FEATURES = ['shader-f16', 'subgroups', 'chromium-experimental-subgroup-matrix'];

/** As much of a device as the choice reads. */
function device({
  features = FEATURES,
  storage = 49_152,
  binding = 2 ** 27,
  subgroup = [32, 32],
  matrices = [MATRICES],
} = {}): GPUDevice {
  const limits = { maxComputeWorkgroupStorageSize: storage, maxStorageBufferBindingSize: binding };
  const made = { features: new Set(features), limits };
  const gpuDevice = made as unknown as GPUDevice;
  const [subgroupMinSize, subgroupMaxSize] = subgroup;
  noteAdapter(gpuDevice, { subgroupMinSize, subgroupMaxSize, subgroupMatrixConfigs: matrices } as never);
  return gpuDevice;
}

const FORWARD = { rows: 2048, columns: 4096, depth: 1024, transposed: false };

describe('choice of a tile', () => {
  it('takes what the device can do, not who made it', () => {
    expect(hasSubgroupMatrices(device())).toBe(true);
    expect(hasSubgroupMatrices(device({ features: FEATURES.slice(1) }))).toBe(false);
    expect(hasSubgroupMatrices(device({ subgroup: [8, 32] }))).toBe(false);
    expect(hasSubgroupMatrices(device({ matrices: [{ ...MATRICES, M: 8, N: 8, K: 8 }] }))).toBe(false);
    expect(hasSubgroupMatrices(device({ matrices: [{ ...MATRICES, resultComponentType: 'f16' }] }))).toBe(false);
    expect(hasSubgroupMatrices(device({ matrices: [] }))).toBe(false);
  });

  it('fills the chip with large tiles, then with a shared depth, then with small tiles', () => {
    const choose = (rows: number, columns: number, depth: number) => {
      const variant = chooseMatrixVariant(device(), { rows, columns, depth, transposed: false });
      return variant && [variant.tile.tileRows, variant.splits];
    };
    expect(choose(2048, 4096, 1024)).toEqual([128, 1]);
    expect(choose(384, 3072, 1024)).toEqual([128, 1]);
    expect(choose(384, 1024, 4096)).toEqual([128, 4]);
    expect(choose(384, 1024, 1024)).toEqual([64, 1]);
    // x in float32 and rows enough: tiles of more columns; in float16 subgroups of 64 x 64, LoRA's rank allowing.
    const halves = (given: object) => chooseMatrixVariant(device(), { ...FORWARD, halves: true, ...given })?.tile;
    expect(halves({})).toMatchObject({ tileColumns: 128, tileDepth: 32, subgroupRows: 2, subgroupColumns: 2 });
    expect(halves({ columns: 1024 })).toMatchObject({ tileColumns: 128, tileDepth: 64, subgroupColumns: 4 });
    expect(halves({ rank: 64 })).toMatchObject({ tileColumns: 128, tileDepth: 64, subgroupColumns: 4 });
    expect(chooseMatrixVariant(device(), FORWARD)?.tile.tileColumns).toBe(256);
    expect(chooseMatrixVariant(device(), { ...FORWARD, columns: 1024 })?.tile.tileColumns).toBe(128);
    // A share under 512 would cost more than it gains, so the most workgroups there are is the answer.
    expect(choose(24, 256, 256)).toEqual([64, 1]);
  });

  it('has W dequantised first where many rows of tiles would do it again', () => {
    expect(chooseMatrixVariant(device(), FORWARD)?.halfWeight).toBe(true);
    expect(chooseMatrixVariant(device(), { ...FORWARD, rows: 63 })?.halfWeight).toBe(false);
    // W in float16 takes 8 MiB, and a device may not bind that much at once.
    expect(chooseMatrixVariant(device({ binding: 2 ** 22 }), FORWARD)?.halfWeight).toBe(false);
  });

  it('leaves shapes that are no whole tiles, few rows and little workgroup memory to the plain shader', () => {
    expect(chooseMatrixVariant(device(), { ...FORWARD, rows: 8 })).toBeUndefined();
    expect(chooseMatrixVariant(device(), { ...FORWARD, rows: 9 })).toBeDefined();
    expect(chooseMatrixVariant(device(), { ...FORWARD, columns: 4096 + 32 })).toBeUndefined();
    expect(chooseMatrixVariant(device(), { ...FORWARD, depth: 1024 + 16 })).toBeUndefined();
    expect(chooseMatrixVariant(device({ storage: 16_384 }), FORWARD)).toBeUndefined();
    expect(chooseMatrixVariant(device({ storage: 32_768 }), FORWARD)?.tile.tileRows).toBe(64);
    // LoRA's factors take the place of a step of the depth.
    expect(chooseMatrixVariant(device(), { ...FORWARD, rank: 64 })).toBeDefined();
    expect(chooseMatrixVariant(device(), { ...FORWARD, rank: 128 })).toBeUndefined();
  });
});

describe('shader', () => {
  let compiler: ShaderCompiler;
  beforeAll(async () => {
    compiler = await openShaderCompiler(FEATURES);
  });
  afterAll(() => compiler.dispose());

  const flags = [false, true];
  const cases = [
    { rows: 2048, columns: 4096, depth: 1024 },
    { rows: 2048, columns: 4096, depth: 1024, halves: true },
    { rows: 384, columns: 1024, depth: 1024 },
    { rows: 384, columns: 1024, depth: 4096 },
  ].flatMap((shape) => flags.flatMap((transposed) => flags.map((nested) => ({ ...shape, transposed, nested }))));

  const additions = [
    NO_ADDITIONS,
    { ...NO_ADDITIONS, rank: 16, masked: true },
    { ...NO_ADDITIONS, rank: 16, innerParts: 4, masked: true, slope: 'gelu_tanh' as const },
    { ...NO_ADDITIONS, rank: 8, residual: true, dropout: true },
    { ...NO_ADDITIONS, rank: 24, masked: true, residual: true, dropout: true },
  ];
  const tiles: MatrixTile[] = [
    { tileRows: 128, tileColumns: 256, tileDepth: 32, subgroupRows: 2, subgroupColumns: 4 },
    { tileRows: 128, tileColumns: 128, tileDepth: 64, subgroupRows: 2, subgroupColumns: 4 },
    { tileRows: 128, tileColumns: 128, tileDepth: 32, subgroupRows: 2, subgroupColumns: 2 },
  ];

  it.each(cases)('is valid for $rows x $columns x $depth, transposed $transposed, nested $nested', async (given) => {
    const { tile, splits } = chooseMatrixVariant(device(), given)!;
    expect(workgroupBytes({ ...tile, transposed: given.transposed })).toBeLessThanOrEqual(49_152);
    for (const [index, added] of additions.entries()) {
      for (const right of ['codes', 'float16'] as const) {
        const { code } = subgroupMatrixProduct({
          ...added,
          ...tile,
          ...given,
          left: index % 2 === 0 ? 'float32' : 'float16',
          right,
          bias: index > 0,
          split: splits > 1,
          nestedShift: 8,
          blockShift: 6,
        });
        expect(await compiler.messages(code)).toEqual([]);
      }
    }
  });

  it.each(tiles)('declares the memory it is chosen by, $tileRows x $tileColumns x $tileDepth', async (tile) => {
    for (const transposed of flags) {
      const { code } = subgroupMatrixProduct({
        ...additions[4]!,
        ...tile,
        transposed,
        left: 'float32',
        right: 'codes',
        nested: true,
        bias: true,
        split: false,
        nestedShift: 8,
        blockShift: 6,
      });
      const messages = await compiler.messages(code);
      expect(messages.filter((message) => !message.includes('workgroup storage'))).toEqual([]);
      const arrays = [...code.matchAll(/var<workgroup> \w+: array<(vec4u|f32), (\d+)>/g)];
      const declared = arrays.reduce((sum, [, type, length]) => sum + (type === 'f32' ? 4 : 16) * Number(length), 0);
      expect(declared).toBe(workgroupBytes({ ...tile, transposed }));
    }
  });

  it('of W in float16 is valid', async () => {
    for (const nested of flags) {
      const { code } = halfWeightShader({ nested, blockShift: 6, nestedShift: 8 });
      expect(await compiler.messages(code)).toEqual([]);
    }
  });
});
