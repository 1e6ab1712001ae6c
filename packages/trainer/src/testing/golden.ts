import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { CollatedBatch } from '@qlora-js/data';
import { loadGpt2ForSequenceClassification } from '@qlora-js/gpt2';
import { folderFiles } from '@qlora-js/hub/node';
import { loadAdapter, PeftModel } from '@qlora-js/lora';
import { clipGradients, createOptimizer, createSchedule, decayGroups, type OptimizerName } from '@qlora-js/optim';
import { GoldenTensors } from '../../../../tools/test/safetensors';
import { windowGradients } from '../steps/gradients';
import { sequenceClassifier } from '../model/sequence-classifier';

export interface GoldenStep {
  readonly loss: number;
  readonly gradNorm: number;
}

const PAD = 50256;
const STEPS = 24;

/** Losses and norms of the Python stack on the recorded batches, its base in float32; tools/python/golden_training.py. */
export function goldenRun(optimizer: OptimizerName): GoldenStep[] {
  const path = fileURLToPath(new URL('../../../gpt2/test/golden-training.json', import.meta.url));
  const { runs } = JSON.parse(readFileSync(path, 'utf8')) as { runs: Record<string, { steps: GoldenStep[] }> };
  return runs[optimizer]!.steps;
}

/** The first `steps` of the recorded 24: lr 1e-3, 4 steps of warm-up, clip 1, no dropout, from the recorded adapter. */
export async function replayTraining(
  fixtures: string,
  base: string,
  name: OptimizerName,
  steps: number,
): Promise<GoldenStep[]> {
  const { model } = await loadGpt2ForSequenceClassification(await folderFiles(base), {
    numLabels: 77,
    config: { attnPdrop: 0, residPdrop: 0, embdPdrop: 0 },
  });
  const peft = new PeftModel(model);
  await loadAdapter(peft, await folderFiles(`${fixtures}/adapter-start`));
  const classifier = sequenceClassifier(peft, { padTokenId: PAD });
  const trained = classifier.trainedVariables();
  const optimizer = createOptimizer(name, decayGroups(trained, 0.01));
  const schedule = createSchedule('linear', { learningRate: 1e-3, warmupSteps: 4, trainingSteps: STEPS });
  const golden = new GoldenTensors(`${fixtures}/training.safetensors`);
  const seen: GoldenStep[] = [];
  for (let step = 0; step < steps; step++) {
    const { loss, gradients } = windowGradients(classifier, trained, [recordedBatch(golden, step)], { seed: 0, step });
    const { norm, control } = clipGradients(gradients, { maxNorm: 1 });
    await optimizer.step(gradients, { learningRate: schedule(step), control });
    seen.push({ loss: (await loss.data())[0]!, gradNorm: (await norm.data())[0]! });
    for (const tensor of [loss, norm, control, ...gradients.values()]) tensor.dispose();
  }
  optimizer.dispose();
  peft.dispose();
  return seen;
}

function recordedBatch(golden: GoldenTensors, index: number): CollatedBatch {
  const integers = (name: string): { values: Int32Array; shape: readonly number[] } => {
    const { bytes, shape } = golden.get(`batch${index}.${name}`);
    return { values: new Int32Array(bytes.slice().buffer), shape };
  };
  const ids = integers('input_ids');
  const mask = integers('attention_mask').values;
  return {
    inputIds: ids.values,
    attentionMask: mask,
    labels: integers('labels').values,
    batchSize: ids.shape[0]!,
    length: ids.shape[1]!,
    realTokens: mask.reduce((sum, value) => sum + value, 0),
  };
}
