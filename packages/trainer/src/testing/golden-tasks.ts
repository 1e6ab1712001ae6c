import { readFileSync } from 'node:fs';
import type { CollatedBatch } from '@qlora-js/data';
import { loadGpt2ForSequenceClassification, loadGpt2LMHeadModel } from '@qlora-js/gpt2';
import { folderFiles } from '@qlora-js/hub/node';
import type { Device } from '@qlora-js/kernels';
import { loadAdapter, PeftModel } from '@qlora-js/lora';
import { goldenPath } from '../../../../tools/test/golden';
import { GoldenTensors } from '../../../../tools/test/safetensors';
import { trainingArguments } from '../arguments/training-arguments';
import { Evaluator, type Evaluation } from '../evaluation/evaluate';
import { TrainingRun } from '../loop/training-run';
import { causalLanguageModel } from '../model/causal-language-model';
import { sequenceClassifier } from '../model/sequence-classifier';
import type { LearnedTask, TrainableModel, UploadedBatch } from '../model/trainable-model';
import type { ReplicaGroup } from '../steps/replica-group';
import type { GoldenStep } from './golden';
import { recordedBatch } from './recorded-batch';

interface GoldenTask {
  readonly accumulationSteps: number;
  readonly steps: readonly GoldenStep[];
  /** Of the first batch after these steps. */
  readonly evalLoss: number;
  readonly logits: readonly number[];
}

interface GoldenTasks {
  readonly learningRate: number;
  readonly weightDecay: number;
  readonly warmupSteps: number;
  readonly maxGradNorm: number;
  readonly runs: Readonly<Record<string, GoldenTask>>;
}

/** What tools/python/golden/tasks.py has recorded. */
export function goldenTasks(): GoldenTasks {
  return JSON.parse(readFileSync(goldenPath('tasks/runs.json'), 'utf8')) as GoldenTasks;
}

/** The padding token of the recorded base. */
const PAD = 210;

/** A recorded run's model at its start, in float32 and without dropout. */
export async function goldenModel(run: string): Promise<TrainableModel> {
  const task = run.split(' ')[0] as LearnedTask;
  const base = await folderFiles(goldenPath('training/base'));
  const options = { quantization: null, config: { attnPdrop: 0, residPdrop: 0, embdPdrop: 0 } } as const;
  const adapter = await folderFiles(goldenPath(`tasks/${task}`));
  if (task === 'causal_lm') {
    const peft = new PeftModel((await loadGpt2LMHeadModel(base, options)).model);
    await loadAdapter(peft, adapter);
    return causalLanguageModel(peft, { padTokenId: PAD });
  }
  const numLabels = { single_label_classification: 4, multi_label_classification: 5, regression: 1 }[task];
  const peft = new PeftModel((await loadGpt2ForSequenceClassification(base, { ...options, numLabels })).model);
  await loadAdapter(peft, adapter);
  return sequenceClassifier(peft, { padTokenId: PAD, problemType: task });
}

/** The recorded batches with a run's labels. */
function goldenBatches(run: string): CollatedBatch[] {
  const task = run.split(' ')[0] as LearnedTask;
  const tensors = new GoldenTensors(goldenPath('tasks/batches.safetensors'));
  const count = tensors.names.filter((name) => name.endsWith('.input_ids')).length;
  return Array.from({ length: count }, (_, index) => {
    const [batchSize = 0] = tensors.get(`${index}.input_ids`).shape;
    const ids = task === 'single_label_classification' || task === 'causal_lm';
    const name = `${index}.${task}`;
    const arrays = {
      inputIds: tensors.integers(`${index}.input_ids`),
      attentionMask: tensors.integers(`${index}.attention_mask`),
      labels: ids ? tensors.integers(name) : tensors.floats(name),
      batchSize,
    };
    return recordedBatch(arrays, task === 'causal_lm');
  });
}

/** What a run has come to here. */
export interface ReplayedTask {
  readonly steps: readonly GoldenStep[];
  /** Of the first batch after these steps. */
  readonly evaluation: Evaluation;
}

/** The first recorded steps of a run done here, all by default, as the trainer does them: on a GPU as recorded plans. */
export async function replayTask(
  run: string,
  { device, replicas, steps: count = Infinity }: { device?: Device; replicas?: ReplicaGroup; steps?: number } = {},
): Promise<ReplayedTask> {
  const { learningRate, weightDecay, warmupSteps, maxGradNorm, runs } = goldenTasks();
  const { accumulationSteps, steps: recorded } = runs[run]!;
  const model = await goldenModel(run);
  const args = trainingArguments({ outputDir: 'unused', learningRate, weightDecay, warmupSteps, maxGradNorm });
  const training = await TrainingRun.begin({ model, args, device, replicas, totalSteps: recorded.length });
  const batches = goldenBatches(run);
  const steps: GoldenStep[] = [];
  for (let step = 0; step < Math.min(count, recorded.length); step++) {
    const window = Array.from(
      { length: accumulationSteps },
      (_, micro) => batches[(step * accumulationSteps + micro) % batches.length]!,
    );
    await training.steps.step(window, { seed: 0, step, learningRate: training.schedule(step) });
    const { loss, grad_norm: gradNorm } = await training.losses.flush();
    steps.push({ loss, gradNorm });
  }
  const evaluator = new Evaluator<UploadedBatch>(model, { device, replicas });
  const evaluation = await evaluator.evaluate([batches[0]!], { keepLogits: model.task !== 'causal_lm' });
  evaluator.dispose();
  training.dispose();
  return { steps, evaluation };
}
