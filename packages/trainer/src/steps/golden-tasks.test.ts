import { openDevice } from '@qlora-js/kernels';
import { afterEach, describe, expect, it } from 'vitest';
import { startReplicas } from '../node/replicas';
import type { Replicas } from '../replicas/replicas';
import { goldenTasks, replayTask, type ReplayedTask } from '../testing/golden-tasks';

const { runs } = goldenTasks();

let ending: (() => void | Promise<void>)[] = [];
afterEach(async () => {
  for (const end of ending) await end();
  ending = [];
});

function expectClose(run: string, { steps }: ReplayedTask): void {
  steps.forEach(({ loss, gradNorm }, step) => {
    const golden = runs[run]!.steps[step]!;
    expect(Math.abs(loss / golden.loss - 1), `loss of step ${step}`).toBeLessThan(2e-4);
    expect(Math.abs(gradNorm / golden.gradNorm - 1), `gradient norm of step ${step}`).toBeLessThan(2e-3);
  });
}

function expectSameEnd(run: string, { evaluation: { loss, logits } }: ReplayedTask): void {
  const { evalLoss, logits: recorded } = runs[run]!;
  expect(Math.abs(loss / evalLoss - 1)).toBeLessThan(2e-4);
  expect(logits?.length ?? 0).toBe(recorded.length);
  recorded.forEach((logit, i) => expect(Math.abs(logits![i]! - logit), `logit ${i}`).toBeLessThan(2e-3));
}

/** Against transformers and PEFT in float32; tools/python/golden/tasks.py. */
describe.each(Object.keys(runs))('the Python stack on %s', (run) => {
  it('takes the same 20 steps as wasm, and ends at the same logits', async () => {
    const device = await openDevice({ backend: 'wasm' });
    ending.push(() => device.dispose());
    const replayed = await replayTask(run);
    expect(replayed.steps).toHaveLength(20);
    expectClose(run, replayed);
    expectSameEnd(run, replayed);
  });

  it.each(['cpu', 'webgpu'] as const)('takes the same first steps as %s', async (backend) => {
    const device = await openDevice({ backend });
    ending.push(() => device.dispose());
    const replayed = await replayTask(run, { device, steps: 3 });
    expect(replayed.steps).toHaveLength(3);
    expectClose(run, replayed);
  });
});

it.each(['multi_label_classification', 'causal_lm windows'])('threads share the steps of %s', async (run) => {
  const device = await openDevice({ backend: 'wasm' });
  const replicas: Replicas = await startReplicas({
    module: new URL('../testing/golden-replica.ts', import.meta.url),
    count: 1,
    setup: { run },
  });
  ending.push(
    () => replicas.dispose(),
    () => device.dispose(),
  );
  const replayed = await replayTask(run, { device, replicas });
  expectClose(run, replayed);
  expectSameEnd(run, replayed);
});
