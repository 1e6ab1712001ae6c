import { readFileSync } from 'node:fs';
import {
  add,
  tensor1d,
  tensor2d,
  variableGrads,
  type Scalar,
  type Tensor2D,
  type Variable,
} from '@tensorflow/tfjs-core';
import { folderFiles } from '@qlora-js/hub/node';
import { gemm, Linear, LinearLayer, Parameter, type ForwardContext } from '@qlora-js/kernels';
import { Linear4bit } from '@qlora-js/quant';
import { besideFixtures, fixturesFolder } from '../../../tools/test/fixtures';
import { GoldenTensors } from '../../../tools/test/safetensors';
import {
  loadGpt2ForSequenceClassification,
  tokenBatch,
  type GPT2ForSequenceClassification,
  type TokenBatch,
} from '../src';

/** A tensor's norm and some of its elements. */
export interface Sampled {
  readonly norm: number;
  readonly at: readonly number[];
  readonly values: readonly number[];
}

export interface GoldenStart {
  /** The first so many of batch 0. */
  readonly texts: number;
  readonly loss: number;
  readonly logits: readonly number[];
  readonly hidden: readonly Sampled[];
  readonly gradients: Readonly<Record<string, Sampled>>;
}

/** What tools/python/golden_training.py recorded, as far as this package tests it. */
export interface GoldenTraining {
  /** The whole first batch. */
  readonly start: GoldenStart;
  /** Its first two texts, for backends that would take minutes for the whole. */
  readonly pair: GoldenStart;
}

export const golden = JSON.parse(
  readFileSync(new URL('./golden-training.json', import.meta.url), 'utf8'),
) as GoldenTraining;

const PAD = 50256;
const SCALING = 32 / 16;

/** A classifier on the small base, 4-bit, with the adapter that the golden runs start from. No dropout. */
export async function goldenClassifier(
  replaceBase: (base: Linear4bit) => Promise<LinearLayer> = async (base) => base,
): Promise<{
  model: GPT2ForSequenceClassification;
  trained: Map<string, Variable>;
}> {
  const { model } = await loadGpt2ForSequenceClassification(await folderFiles(besideFixtures('mini')!), {
    numLabels: 77,
    config: { padTokenId: PAD, embdPdrop: 0, attnPdrop: 0, residPdrop: 0 },
  });
  const adapter = new GoldenTensors(`${fixturesFolder}/adapter-start/adapter_model.safetensors`);
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
    const base = await replaceBase(module);
    model.replaceModule(
      name,
      adapter.names.includes(`${prefix}.lora_A.weight`)
        ? new LoraDouble(base, parameter(`${prefix}.lora_A.weight`), parameter(`${prefix}.lora_B.weight`))
        : base,
    );
  }
  const score = parameter('base_model.model.score.weight');
  const head = new Linear(score.value.clone() as Tensor2D);
  head.weight.setRequiresGrad(true);
  trained.set('base_model.model.score.weight', head.weight.variable);
  score.dispose();
  model.replaceModule('score', head).dispose();
  return { model, trained };
}

/** base(x) + 2 B A x, written out: a test of this package does not lean on the package of adapters. */
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
    const up = gemm(down, this.b.value as Tensor2D, { transposeB: true, alpha: SCALING });
    return add(this.base.forward(x, context), up);
  }

  denseWeight(): Tensor2D {
    return this.base.denseWeight();
  }

  withWeight(weight: Tensor2D): LinearLayer {
    return this.base.withWeight(weight);
  }
}

/** The first texts of batch 0 of the golden runs. */
export function goldenBatch(texts: number, packed: boolean): { batch: TokenBatch; labels: Int32Array } {
  const tensors = new GoldenTensors(`${fixturesFolder}/training.safetensors`);
  const [, length = 0] = tensors.get('batch0.input_ids').shape;
  const ints = (name: string, columns: number) =>
    new Int32Array(tensors.bytes(`batch0.${name}`).slice().buffer).subarray(0, texts * columns);
  const padded = {
    inputIds: ints('input_ids', length),
    attentionMask: ints('attention_mask', length),
    batchSize: texts,
    length,
  };
  return {
    batch: tokenBatch(padded, { padTokenId: PAD, nPositions: 256, vocabSize: 50257, packed }),
    labels: ints('labels', 1),
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
