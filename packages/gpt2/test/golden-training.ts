import {
  tensor1d,
  tensor2d,
  variableGrads,
  add,
  type Scalar,
  type Tensor2D,
  type Variable,
} from '@tensorflow/tfjs-core';
import { folderFiles } from '@qlora-js/hub/node';
import { gemm, Linear, LinearLayer, Parameter, type ForwardContext } from '@qlora-js/kernels';
import { Linear4bit } from '@qlora-js/quant';
import { goldenJson, goldenPath } from '../../../tools/test/golden';
import { GoldenTensors } from '../../../tools/test/safetensors';
import {
  loadGpt2ForSequenceClassification,
  tokenBatch,
  type GPT2ForSequenceClassification,
  type TokenBatch,
} from '../src';

/** What tools/python/golden/training.py recorded of the start, as far as this package tests it. */
export const golden = {
  ...goldenJson<{ readonly numLabels: number; readonly padTokenId: number }>('training/runs.json'),
  start: new GoldenTensors(goldenPath('training/start.safetensors')),
};
const config = goldenJson<{ n_positions: number; vocab_size: number }>('training/base/config.json');
const { lora_alpha, r } = goldenJson<{ lora_alpha: number; r: number }>('training/adapter-start/adapter_config.json');

/** A classifier on the golden base, 4-bit, with the adapter that the golden runs start from. No dropout. */
export async function goldenClassifier(): Promise<{
  model: GPT2ForSequenceClassification;
  trained: Map<string, Variable>;
}> {
  const { model } = await loadGpt2ForSequenceClassification(await folderFiles(goldenPath('training/base')), {
    numLabels: golden.numLabels,
    config: { padTokenId: golden.padTokenId, embdPdrop: 0, attnPdrop: 0, residPdrop: 0 },
  });
  const adapter = new GoldenTensors(goldenPath('training/adapter-start/adapter_model.safetensors'));
  const trained = new Map<string, Variable>();
  const parameter = (name: string): Parameter => {
    const { shape } = adapter.get(name);
    const made = new Parameter(tensor2d(adapter.floats(name), shape as [number, number]));
    made.setRequiresGrad(true);
    trained.set(name, made.variable);
    return made;
  };
  for (const [name, module] of [...model.namedModules()]) {
    if (!(module instanceof Linear4bit)) continue;
    const prefix = `base_model.model.${name}`;
    if (!adapter.names.includes(`${prefix}.lora_A.weight`)) continue;
    const [a, b] = [parameter(`${prefix}.lora_A.weight`), parameter(`${prefix}.lora_B.weight`)];
    model.replaceModule(name, new LoraDouble(module, a, b));
  }
  const score = parameter('base_model.model.score.weight');
  const head = new Linear(score.value.clone() as Tensor2D);
  head.weight.setRequiresGrad(true);
  trained.set('base_model.model.score.weight', head.weight.variable);
  score.dispose();
  model.replaceModule('score', head).dispose();
  return { model, trained };
}

/** base(x) + alpha / r B A x, written out: a test of this package does not lean on the package of adapters. */
class LoraDouble extends LinearLayer {
  readonly inFeatures: number;
  readonly outFeatures: number;

  constructor(
    private readonly base: LinearLayer,
    private readonly a: Parameter,
    private readonly b: Parameter,
  ) {
    super();
    [this.inFeatures, this.outFeatures] = [base.inFeatures, base.outFeatures];
    this.setChild('base_layer', base);
    this.setParameter('lora_A', a);
    this.setParameter('lora_B', b);
  }

  forward(x: Tensor2D, context: ForwardContext): Tensor2D {
    const down = gemm(x, this.a.value as Tensor2D, { transposeB: true });
    const up = gemm(down, this.b.value as Tensor2D, { transposeB: true, alpha: lora_alpha / r });
    return add(this.base.forward(x, context), up);
  }

  denseWeight(): Tensor2D {
    return this.base.denseWeight();
  }

  withWeight(weight: Tensor2D): LinearLayer {
    return this.base.withWeight(weight);
  }
}

/** The first batch of the golden runs. */
export function goldenBatch(packed: boolean): { batch: TokenBatch; labels: Int32Array } {
  const tensors = new GoldenTensors(goldenPath('training/batches.safetensors'));
  const [batchSize = 0, length = 0] = tensors.get('0.input_ids').shape;
  const padded = {
    inputIds: tensors.integers('0.input_ids'),
    attentionMask: tensors.integers('0.attention_mask'),
    batchSize,
    length,
  };
  const { n_positions: nPositions, vocab_size: vocabSize } = config;
  return {
    batch: tokenBatch(padded, { padTokenId: golden.padTokenId, nPositions, vocabSize, packed }),
    labels: tensors.integers('0.labels'),
  };
}

/** Loss and gradients of a batch, read to the host. */
export async function lossAndGradients(
  model: GPT2ForSequenceClassification,
  trained: ReadonlyMap<string, Variable>,
  { batch, labels }: { batch: TokenBatch; labels: Int32Array },
): Promise<{ loss: number; gradients: Map<string, Float32Array> }> {
  const target = tensor1d(labels, 'int32');
  const names = new Map([...trained].map(([name, variable]) => [variable.name, name]));
  const { value, grads } = variableGrads(
    () => model.loss(batch, target, { training: true }).loss,
    [...trained.values()],
  ) as { value: Scalar; grads: Record<string, Tensor2D> };
  const gradients = new Map<string, Float32Array>();
  for (const [name, gradient] of Object.entries(grads)) {
    gradients.set(names.get(name)!, (await gradient.data<'float32'>()).slice());
    gradient.dispose();
  }
  const loss = (await value.data())[0]!;
  value.dispose();
  target.dispose();
  return { loss, gradients };
}
