import { openDevice } from '@qlora-js/kernels';
import type { OptimizerName } from '@qlora-js/optim';
import { describe, expect, it } from 'vitest';
import { besideFixtures, fixturesFolder } from '../../../../tools/test/fixtures';
import { goldenRun, replayTraining, type GoldenStep } from '../testing/golden';

/**
 * On webgpu `tools/bench` runs these steps on a real GPU; on a software GPU one step takes a minute, and backends.test.ts
 * holds a small model there against wasm instead. The recorded losses in fixtures/training.json come from layers whose 4-bit weights bitsandbytes had packed for
 * inference in bfloat16, with no gradient through them (see tools/python/golden_training.py); what is held against here
 * is the same run of the same stack with float32 weights and the whole gradient.
 */
describe.skipIf(fixturesFolder === undefined)('24 steps beside the Python stack', () => {
  const base = besideFixtures('mini')!;

  function expectClose(seen: readonly GoldenStep[], golden: readonly GoldenStep[]): void {
    seen.forEach(({ loss, gradNorm }, step) => {
      expect(Math.abs(loss - golden[step]!.loss), `loss of step ${step}`).toBeLessThan(1e-3);
      expect(Math.abs(gradNorm / golden[step]!.gradNorm - 1), `gradient norm of step ${step}`).toBeLessThan(5e-3);
    });
  }

  it.each(['adamw_torch', 'paged_adamw_8bit'] as const)('wasm, all steps of %s', async (name: OptimizerName) => {
    const device = await openDevice({ backend: 'wasm' });
    expectClose(await replayTraining(fixturesFolder!, base, name, 24), goldenRun(name));
    device.dispose();
  });
});
