import { readFileSync } from 'node:fs';
import type { CollatedBatch } from '@qlora-js/data';
import { loadGpt2ForSequenceClassification, tokenBatch } from '@qlora-js/gpt2';
import { folderFiles } from '@qlora-js/hub/node';
import { INFERENCE } from '@qlora-js/kernels';
import { loadAdapter, PeftModel } from '@qlora-js/lora';
import { clipGradients, createOptimizer, createSchedule, decayGroups, type OptimizerName } from '@qlora-js/optim';
import { GoldenTensors } from '../../../../tools/test/safetensors';
import { windowGradients } from '../steps/gradients';
import { sequenceClassifier } from '../model/sequence-classifier';
import { recordedBatch } from './recorded-batch';

export interface GoldenStep {
  readonly loss: number;
  readonly gradNorm: number;
}

export interface GoldenRun {
  readonly steps: readonly GoldenStep[];
  /** Of the first batch after these steps. */
  readonly logits: ArrayLike<number>;
}

interface GoldenRuns {
  readonly numLabels: number;
  readonly padTokenId: number;
  readonly learningRate: number;
  readonly weightDecay: number;
  readonly warmupSteps: number;
  readonly maxGradNorm: number;
  /** PEFT's line. */
  readonly trainableParameters: string;
  readonly runs: Readonly<Record<string, GoldenRun>>;
}

/** The settings and results of the Python stack's steps, in a folder that tools/python/golden/training.py recorded. */
export function goldenRuns(folder: string): GoldenRuns {
  return JSON.parse(readFileSync(`${folder}/runs.json`, 'utf8')) as GoldenRuns;
}

/**
 * The first recorded steps done here, all by default: from the recorded adapter, on the recorded batches in turn,
 * without dropout.
 */
export async function replayTraining(
  folder: string,
  name: OptimizerName,
  { steps: count = Infinity }: { readonly steps?: number } = {},
): Promise<GoldenRun> {
  const { numLabels, padTokenId, learningRate, weightDecay, warmupSteps, maxGradNorm, runs } = goldenRuns(folder);
  const trainingSteps = runs[name]!.steps.length;
  const { model } = await loadGpt2ForSequenceClassification(await folderFiles(`${folder}/base`), {
    numLabels,
    config: { attnPdrop: 0, residPdrop: 0, embdPdrop: 0 },
  });
  const peft = new PeftModel(model);
  await loadAdapter(peft, await folderFiles(`${folder}/adapter-start`));
  const classifier = sequenceClassifier(peft, { padTokenId });
  const trained = classifier.trainedVariables();
  const optimizer = createOptimizer(name, decayGroups(trained, weightDecay));
  const schedule = createSchedule('linear', { learningRate, warmupSteps, trainingSteps });
  const batches = recordedBatches(folder);
  const steps: GoldenStep[] = [];
  for (let step = 0; step < Math.min(count, trainingSteps); step++) {
    const batch = batches[step % batches.length]!;
    const { loss, gradients } = windowGradients(classifier, trained, [batch], { seed: 0, step });
    const { norm, control } = clipGradients(gradients, { maxNorm: maxGradNorm });
    await optimizer.step(gradients, { learningRate: schedule(step), control });
    steps.push({ loss: (await loss.data())[0]!, gradNorm: (await norm.data())[0]! });
    for (const tensor of [loss, norm, control, ...gradients.values()]) tensor.dispose();
  }
  const { nPositions, vocabSize } = model.config;
  const tokens = tokenBatch(batches[0]!.rows, { padTokenId, nPositions, vocabSize });
  const logits = model.forward(tokens, INFERENCE);
  const values = await logits.data();
  tokens.dispose();
  logits.dispose();
  optimizer.dispose();
  peft.dispose();
  return { steps, logits: values };
}

function recordedBatches(folder: string): CollatedBatch[] {
  const tensors = new GoldenTensors(`${folder}/batches.safetensors`);
  const count = tensors.names.filter((name) => name.endsWith('.labels')).length;
  return Array.from({ length: count }, (_, index) => {
    const [batchSize = 0] = tensors.get(`${index}.input_ids`).shape;
    return recordedBatch({
      inputIds: tensors.integers(`${index}.input_ids`),
      attentionMask: tensors.integers(`${index}.attention_mask`),
      labels: tensors.integers(`${index}.labels`),
      batchSize,
    });
  });
}
