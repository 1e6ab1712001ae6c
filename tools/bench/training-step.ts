import { dispose, tensor1d, variableGrads, type Tensor, type Tensor1D, type Tensor2D } from '@tensorflow/tfjs-core';
import { tokenBatch, trainingContext, type SequenceClassification, type TokenBatch } from '@qlora-js/gpt2';
import { together } from '@qlora-js/kernels';
import type { PeftModel } from '@qlora-js/lora';
import { clipGradients, createOptimizer, decayGroups, GradScaler } from '@qlora-js/optim';
import { sequenceClassifier } from '@qlora-js/trainer';
import { LABELS } from './gpt2-medium';

/** What differs from step to step. */
export type StepInputs = Record<
  'ids' | 'positions' | 'sequences' | 'pooledRows' | 'labels' | 'random' | 'randomAfter' | 'learningRate',
  Tensor
>;

/** A whole training step of a model: scaled loss, gradients, clipping, 8-bit AdamW or a step left out. */
export class TrainingStep {
  /** The loss scale of its gradients. */
  readonly scaler = new GradScaler();
  /** The model as the trainer sees it. */
  readonly trainable: ReturnType<typeof sequenceClassifier>;
  private state = 99;
  /** A function of tensors, as `plan` records it. */
  readonly run: (inputs: StepInputs) => Record<'loss' | 'norm', Tensor>;

  private readonly config: { readonly nPositions: number; readonly vocabSize: number };

  constructor(model: PeftModel<SequenceClassification>) {
    this.config = model.base.config;
    this.trainable = sequenceClassifier(model, { padTokenId: this.config.vocabSize - 1 });
    const trained = this.trainable.trainedVariables();
    const variables = trained.map(({ variable }) => variable);
    const optimizer = createOptimizer('paged_adamw_8bit', decayGroups(trained, 0.01));
    const { scaler } = this;
    this.run = (inputs) => {
      const batch = batchOf(inputs);
      const { value, grads } = variableGrads(() => {
        const { random, randomAfter, labels } = inputs as Record<string, Tensor1D>;
        return scaler.scale(model.base.loss(batch, labels!, { training: true, random, randomAfter }).loss);
      }, variables);
      const laid = together(variables.map(({ name }) => grads[name]!));
      const gradients = new Map(trained.map(({ name }, index) => [name, laid[index]!]));
      const { norm, control } = clipGradients(gradients, { maxNorm: 1, lossScale: scaler.lossScale });
      optimizer.stepSync(gradients, { learningRate: inputs.learningRate as Tensor1D, control });
      scaler.update(control);
      dispose([...gradients.values(), control]);
      return { loss: value, norm };
    };
  }

  private randomInteger(below: number): number {
    this.state = (Math.imul(this.state, 1664525) + 1013904223) >>> 0;
    return Math.floor((this.state / 2 ** 32) * below);
  }

  /** Random texts of one length, and their labels. */
  makeBatch(batchSize: number, length: number): { tokens: TokenBatch; inputs: StepInputs } {
    const { nPositions, vocabSize } = this.config;
    const inputIds = Int32Array.from({ length: batchSize * length }, () =>
      this.randomInteger(Math.min(50_000, vocabSize - 1)),
    );
    const attentionMask = new Int32Array(batchSize * length).fill(1);
    const tokens = tokenBatch(
      { inputIds, attentionMask, batchSize, length },
      { padTokenId: vocabSize - 1, nPositions, vocabSize },
    );
    const labels = Int32Array.from({ length: batchSize }, () => this.randomInteger(LABELS));
    const { ids, positions, sequences, pooledRows } = tokens;
    const { random, randomAfter } = trainingContext(tokens, { seed: 0, step: 0 });
    const inputs = {
      ids,
      positions,
      sequences,
      pooledRows,
      labels: tensor1d(labels, 'int32'),
      random,
      randomAfter,
      learningRate: tensor1d([1e-4]),
    };
    return { tokens, inputs };
  }
}

function batchOf(inputs: StepInputs): TokenBatch {
  return {
    ids: inputs.ids as Tensor1D,
    positions: inputs.positions as Tensor1D,
    sequences: inputs.sequences as Tensor2D,
    pooledRows: inputs.pooledRows as Tensor1D,
    rows: inputs.ids.size,
    batchSize: inputs.labels.size,
    dispose: () => undefined,
  };
}
