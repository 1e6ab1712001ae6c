import {
  memoryStore,
  parseRunEvent,
  qloraRunConfig,
  type RunEvent,
  RunTracking,
  type RunStatus,
} from '@qlora-js/tracking';
import { type RunResults, type TestResults, type TrialResult } from '../input';

/** Numbers of 0 to 1, the same ones every time. */
function randomNumbers(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state * 1103515245 + 12345) % 2147483648;
    return state / 2147483648;
  };
}

/** Text that would run, or leave its place, were it not escaped. */
export const HOSTILE = `</script><img src=x onerror="alert(1)"><!--'"&<svg onload=alert(2)>`;

/** The lines of a made-up run. */
export async function sampleEvents(options: {
  steps?: number;
  status?: RunStatus;
  /** Step at which the loss becomes NaN. */
  nanFrom?: number;
}): Promise<RunEvent[]> {
  const { steps = 1000, status, nanFrom = Infinity } = options;
  const random = randomNumbers(7);
  const store = memoryStore();
  let time = Date.UTC(2026, 0, 1);
  const config = qloraRunConfig({
    model: HOSTILE,
    quantType: 'nf4',
    doubleQuant: true,
    computeDtype: 'float32',
    phase: 'final_training',
    maxLength: 64,
  });
  const run = {
    name: 'final_best_QLoRA-NF4',
    id: 'sample01',
    project: 'banking77',
    group: 'search',
    tags: ['nf4'],
    config,
  };
  const tracking = new RunTracking({ store, run, now: () => (time += 1000) });
  for (let step = 10; step <= steps; step += 10) {
    const loss = step >= nanFrom ? NaN : 4.3 * Math.exp(-step / 300) + 0.3 + 0.2 * random();
    const learning_rate = 5e-4 * (1 - step / steps);
    tracking.log({ loss, learning_rate, grad_norm: 1 + random(), skipped_steps: Math.floor(step / 400) }, step);
    if (step % 100 === 0) {
      const eval_f1 = 0.9 * (1 - Math.exp(-step / 250)) - (step > 800 ? 0.05 : 0);
      const eval_loss = 3.8 * Math.exp(-step / 300) + 0.6;
      tracking.log({ eval_loss, eval_accuracy: eval_f1 + 0.01, eval_f1, loss_gap: eval_loss - loss }, step);
    }
    if (step % 250 === 0) {
      tracking.log(
        {
          epoch: step / 250,
          epoch_time_sec: 20,
          tokens_per_sec_est: 9000,
          real_tokens_per_sec: 2000,
          gpu_max_mem_allocated_GiB: 0.31,
        },
        step,
      );
    }
  }
  tracking.summary({ test_accuracy: 0.8, test_f1: 0.79, test_loss: 0.7, total_time_sec: 81.5 });
  if (status !== undefined) await tracking.finish(status);
  return store.text
    .trimEnd()
    .split('\n')
    .map((line) => parseRunEvent(line)!);
}

/** Test rows of made-up classes, 40 a class as Banking77 has them; every twelfth or so is taken for a neighbour. */
export function sampleTest(classes = 77, seed = 3): TestResults {
  const random = randomNumbers(seed);
  const labels = Array.from({ length: classes }, (_, i) => (i === 1 ? HOSTILE : `the_name_of_class_${i}`));
  const truth = Array.from({ length: 40 * classes }, (_, row) => Math.floor(row / 40));
  const predicted = truth.map((label) => (random() < 0.08 ? (label + 1 + Math.floor(3 * random())) % classes : label));
  const confidence = truth.map((label, row) =>
    predicted[row] === label ? 0.6 + 0.4 * random() : 0.2 + 0.6 * random(),
  );
  const texts = truth.map(
    (label, row) => `${row % 50 === 0 ? HOSTILE : 'how do I change my card'} number ${row} of ${label}?`,
  );
  return { labels, truth, predicted, confidence, texts };
}

/** A made-up search, of every state a trial may have. */
function sampleTrials(): TrialResult[] {
  const random = randomNumbers(11);
  return Array.from({ length: 20 }, (_, number) => {
    const learning_rate = 1e-5 * 50 ** random();
    const value = 0.6 + 0.04 * Math.log(learning_rate / 1e-5) + 0.03 * random();
    const state =
      number === 19 ? 'RUNNING' : number === 7 ? 'FAIL' : number > 4 && value < 0.68 ? 'PRUNED' : 'COMPLETE';
    const reports = state === 'PRUNED' ? 2 : state === 'COMPLETE' ? 5 : 0;
    return {
      number,
      state,
      value: reports === 0 ? null : value,
      params: {
        learning_rate,
        batch_size: [4, 8, 16][number % 3]!,
        scheduler: ['linear', 'cosine', HOSTILE][number % 3]!,
      },
      intermediate: Array.from({ length: reports }, (_, i) => ({
        step: 100 * (i + 1),
        value: value * (1 - Math.exp(-i - 1)),
      })),
      seconds: 10,
    };
  });
}

/** All that a report can show. */
export function sampleResults(): RunResults {
  return {
    description: {
      model: { model: 'base', parameters: 17_950_976 },
      LoRA: { r: 16, alpha: 32 },
      machine: { backend: 'wasm', adapter: null },
    },
    test: sampleTest(),
    earlier: {
      name: 'reference',
      figures: { test_accuracy: 0.93, test_f1: 0.5, tokens_per_sec_est: 90_000, test_loss: null },
    },
    saved: {
      folder: './final',
      files: [{ name: 'adapter_model.safetensors', size: 1_104_000 }],
      load: { typescript: "await loadAdapter(model, await folderFiles('./final'));", python: HOSTILE },
    },
    search: {
      name: 'banking77',
      objective: 'eval_f1',
      direction: 'maximize',
      trials: sampleTrials(),
      logarithmic: ['learning_rate'],
      importances: { method: 'fANOVA', values: { learning_rate: 0.8, batch_size: 0.15, scheduler: 0.05 } },
    },
  };
}
