import { existsSync, readFileSync } from 'node:fs';
import { appendFile, mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { TextDataset } from '@qlora-js/data';
import {
  prepareClassifier,
  SILENT,
  testAdapter,
  trainAdapter,
  type BaseModel,
  type FineTuneContext,
  type FineTuneOptions,
  type Output,
} from '@qlora-js/finetune';
import type { Device } from '@qlora-js/kernels';

/** A training that a study asks for. */
export interface PlannedTraining {
  /** The way it is trained; trainings of one name differ in their seeds. */
  readonly name: string;
  readonly seed: number;
  /** What it is told. */
  readonly options: FineTuneOptions;
  /** Figures of its own, of the model before it is trained. */
  readonly measure?: (context: FineTuneContext) => Promise<Readonly<Record<string, number>>>;
}

/** What the validation rows, and the loss since the evaluation before, say at a step. */
export interface CurvePoint {
  readonly step: number;
  readonly epoch: number;
  /** Mean training loss since the row before, dropout in it; null where none was logged. */
  readonly loss: number | null;
  readonly eval_loss: number;
  readonly eval_accuracy: number;
  readonly eval_f1: number;
}

/** A training that a study did: a line of its result file. */
export interface TrainingRow {
  readonly name: string;
  readonly seed: number;
  /** The arguments that were searched or varied. */
  readonly parameters: Readonly<Record<string, number | string>>;
  readonly curve: readonly CurvePoint[];
  /** Of the best weights by validation F1. */
  readonly test: { readonly accuracy: number; readonly f1: number; readonly loss: number };
  readonly seconds: number;
  /** Null where other shards shared the machine. */
  readonly tokensPerSecond: number | null;
  readonly memoryGib: number;
  /** What `measure` gave. */
  readonly figures: Readonly<Record<string, number>>;
  /** What computed it. */
  readonly machine: string;
}

/** Where trainings get what they have in common. */
export interface StudyMaterial {
  readonly base: BaseModel;
  readonly data: TextDataset;
  readonly device: Device;
  readonly output: Output;
  /** Arguments of every training. */
  readonly common: FineTuneOptions;
  /** Whether other processes train on the machine at the same time. */
  readonly shared: boolean;
}

/**
 * Does the trainings that a result file has not got yet, one after the other, each written as soon as it is done: a study that was
 * stopped goes on where it was.
 */
export async function doTrainings(
  planned: readonly PlannedTraining[],
  file: string,
  material: StudyMaterial,
): Promise<void> {
  await mkdir(dirname(file), { recursive: true });
  const done = new Set(readRows(file).map(key));
  const missing = planned.filter((training) => !done.has(key(training)));
  const bar = material.output.bar('trainings', planned.length);
  bar.update(planned.length - missing.length);
  for (const [index, training] of missing.entries()) {
    const row = await train(training, material);
    await appendFile(file, `${JSON.stringify(row)}\n`);
    material.output.line(`${training.name}, seed ${training.seed}: f1 ${row.test.f1.toFixed(4)}`);
    bar.update(planned.length - missing.length + index + 1);
  }
  bar.stop();
}

/** Rows of the planned trainings that a result file holds, in their order. */
export function rowsOf(planned: readonly PlannedTraining[], file: string): TrainingRow[] {
  const rows = new Map(readRows(file).map((row) => [key(row), row]));
  return planned.flatMap((training) => rows.get(key(training)) ?? []);
}

function key({ name, seed }: { readonly name: string; readonly seed: number }): string {
  return `${name} ${seed}`;
}

/** The trainings that a result file holds; a line that a kill cut off is none. */
export function readRows(file: string): TrainingRow[] {
  if (!existsSync(file)) return [];
  return readFileSync(file, 'utf8')
    .split('\n')
    .flatMap((line) => {
      try {
        return line === '' ? [] : [JSON.parse(line) as TrainingRow];
      } catch {
        return [];
      }
    });
}

async function train(
  { name, seed, options, measure }: PlannedTraining,
  { base, data, device, output, common, shared }: StudyMaterial,
): Promise<TrainingRow> {
  const context = await prepareClassifier({
    ...common,
    ...options,
    training: { ...common.training, ...options.training },
    lora: { ...common.lora, ...options.lora },
    ...{ base, data, device, seed },
    output: { ...SILENT, bar: (...words) => output.bar(...words) },
  });
  try {
    const figures = (await measure?.(context)) ?? {};
    const trained = await trainAdapter(context, { adapterName: 'study', label: name });
    const { metrics } = await testAdapter(context, trained);
    const estimate = (name: string): number => metrics.figures[name]!.estimate;
    const { training, trainer, result, speed } = trained;
    const { learningRate, perDeviceTrainBatchSize, numTrainEpochs, weightDecay, warmupSteps } = training;
    const last = speed.epochs.at(-1);
    return {
      name,
      seed,
      parameters: {
        ...{ learningRate, perDeviceTrainBatchSize, numTrainEpochs, weightDecay, warmupSteps },
        loraDropout: context.settings.lora.loraDropout,
      },
      curve: curveOf(trainer.state.logHistory),
      test: { accuracy: estimate('accuracy'), f1: estimate('f1'), loss: metrics.loss },
      seconds: result.seconds,
      tokensPerSecond: shared ? null : (last?.['real_tokens_per_sec'] ?? null),
      memoryGib: last?.['gpu_max_mem_allocated_GiB'] ?? 0,
      figures,
      machine: `${device.info.adapter ?? device.backend}, ${device.info.computeDtype}`,
    };
  } finally {
    context.model.dispose();
  }
}

function curveOf(history: readonly Readonly<Record<string, number>>[]): CurvePoint[] {
  const points: CurvePoint[] = [];
  let loss: number | null = null;
  for (const row of history) {
    loss = row['loss'] ?? loss;
    const { eval_loss, eval_accuracy, eval_f1, step, epoch } = row;
    if (eval_loss === undefined || step === points.at(-1)?.step) continue;
    points.push({ step: step!, epoch: epoch!, loss, eval_loss, eval_accuracy: eval_accuracy!, eval_f1: eval_f1! });
    loss = null;
  }
  return points;
}
