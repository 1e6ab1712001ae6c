import { openDevice } from '@qlora-js/kernels';
import { describe, expect, it } from 'vitest';
import { goldenPath } from '../../../../tools/test/golden';
import { goldenRuns, replayTraining, type GoldenStep } from '../testing/golden';

function expectClose(seen: readonly GoldenStep[], golden: readonly GoldenStep[]): void {
  seen.forEach(({ loss, gradNorm }, step) => {
    expect(Math.abs(loss - golden[step]!.loss), `loss of step ${step}`).toBeLessThan(1e-3);
    expect(Math.abs(gradNorm / golden[step]!.gradNorm - 1), `gradient norm of step ${step}`).toBeLessThan(5e-3);
  });
}

/** Against transformers, PEFT and bitsandbytes in float32, with the whole gradient; tools/python/golden/training.py. */
describe.each(['adamw_torch', 'paged_adamw_8bit'] as const)('the Python stack on %s', (name) => {
  const folder = goldenPath('training');
  const golden = goldenRuns(folder).runs[name]!;

  it('takes the same 24 steps as wasm, and ends at the same logits', async () => {
    const device = await openDevice({ backend: 'wasm' });
    const { steps, logits } = await replayTraining(folder, name);
    expect(steps).toHaveLength(24);
    expectClose(steps, golden.steps);
    expect(logits).toHaveLength(golden.logits.length);
    Array.from(golden.logits, (logit, i) => expect(Math.abs(logits[i]! - logit), `logit ${i}`).toBeLessThan(5e-3));
    device.dispose();
  });

  // A software GPU takes a second or two a step.
  it.each(['cpu', 'webgpu'] as const)('takes the same first steps as %s', async (backend) => {
    const device = await openDevice({ backend });
    const { steps } = await replayTraining(folder, name, { steps: 4 });
    expect(steps).toHaveLength(4);
    expectClose(steps, golden.steps);
    device.dispose();
  });
});
