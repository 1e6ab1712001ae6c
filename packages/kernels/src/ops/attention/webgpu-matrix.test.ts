import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openShaderCompiler, type ShaderCompiler } from '../../testing/shader-compiler';
import { FRAGMENT } from '../../webgpu/subgroup-matrix';
import { LOOP_ROWS, type MatrixTileConstants } from './matrix-wgsl';
import { matrixBackwardBytes, matrixKeyGradientShader, matrixQueryGradientShader } from './webgpu-matrix-backward';
import { matrixForwardBytes, matrixForwardShader } from './webgpu-matrix-forward';

/** Bytes of workgroup memory that a shader declares. */
function declaredBytes(code: string): number {
  const arrays = [...code.matchAll(/var<workgroup> \w+: array<vec4[uf], (\d+)>/g)];
  return arrays.reduce((sum, [, length]) => sum + 16 * Number(length), 0);
}

describe('attention on subgroup matrices', () => {
  let compiler: ShaderCompiler;
  beforeAll(async () => {
    compiler = await openShaderCompiler(['shader-f16', 'subgroups', 'chromium-experimental-subgroup-matrix']);
  });
  afterAll(() => compiler.dispose());

  const cases = [16, 48, 64, 80, 128].flatMap((headSize) =>
    ([1, 2, 4] as const).flatMap((subgroups) =>
      (['none', 'grouped'] as const).map((dropout): MatrixTileConstants => ({
        headSize,
        subgroups,
        dropout,
        ownRows: subgroups * FRAGMENT,
        loopRows: LOOP_ROWS,
      })),
    ),
  );

  it.each(cases)('is valid for heads of $headSize, $subgroups subgroups, dropout $dropout', async (constants) => {
    const forward = matrixForwardShader(constants).code;
    const backward = [matrixQueryGradientShader(constants).code, matrixKeyGradientShader(constants).code];
    expect(declaredBytes(forward)).toBe(matrixForwardBytes(constants));
    expect(Math.max(...backward.map(declaredBytes))).toBe(matrixBackwardBytes(constants));
    // The guarantee of workgroup memory is what this compiler has; what the device has is checked where a tile is chosen.
    for (const code of [forward, ...backward]) {
      const messages = await compiler.messages(code);
      expect(messages.filter((message) => !message.includes('workgroup storage'))).toEqual([]);
    }
  });

  it('takes four subgroups of heads of 64 within 48 KiB', () => {
    for (const bytes of [matrixForwardBytes, matrixBackwardBytes]) {
      expect(bytes({ headSize: 64, subgroups: 4 })).toBeLessThanOrEqual(49_152);
    }
  });
});
