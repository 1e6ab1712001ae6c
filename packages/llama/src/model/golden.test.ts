import { memory, tensor1d, tidy, variableGrads, type Scalar, type Tensor1D } from '@tensorflow/tfjs-core';
import { expect, it } from 'vitest';
import { nextTokenLabels, tokenBatch, type ActivationDtype } from '@qlora-js/gpt2';
import { INFERENCE, type Module, type Parameter } from '@qlora-js/kernels';
import { describeBackends } from '@qlora-js/kernels/testing';
import { largestDifference, relativeDistance } from '../../../../tools/test/compare';
import { goldenLlama, padTexts, tinyFiles } from '../../test/tiny-llama';
import { loadLlamaForCausalLM, loadLlamaForSequenceClassification } from '../weights/load';

const { texts, labels, variants } = goldenLlama;
const batchOf = (config: { readonly nPositions: number; readonly vocabSize: number }) =>
  tokenBatch(padTexts(texts), { padTokenId: 0, nPositions: config.nPositions, vocabSize: config.vocabSize });

/** Trains the weights of the modules named and gives back their gradients, and the loss. */
async function gradientsOf(model: Module, paths: readonly string[], loss: () => Scalar) {
  const parameters = new Map([...model.namedParameters()]);
  const trained = paths.map((path): [string, Parameter] => [path, parameters.get(`${path}.weight`)!]);
  for (const [, parameter] of trained) parameter.setRequiresGrad(true);
  const { value, grads } = variableGrads(
    loss,
    trained.map(([, parameter]) => parameter.variable),
  );
  const gradients = new Map<string, Float32Array>();
  for (const [path, parameter] of trained) {
    const gradient = grads[parameter.variable.name]!;
    gradients.set(path, (await gradient.data<'float32'>()).slice());
    gradient.dispose();
  }
  const [lossValue] = await value.data();
  value.dispose();
  return { loss: lossValue!, gradients };
}

describeBackends('tiny models of each family', (backend) => {
  it.each(variants)('$name gives the hidden states, logits, loss and greedy tokens of transformers', async (golden) => {
    const { model, report } = await loadLlamaForCausalLM(tinyFiles(golden.config, 'lm_head'), { quantization: null });
    expect(report).toEqual({ newlyInitialized: [], unexpected: [], unusedHeads: [], masks: [] });
    const batch = batchOf(model.config);
    const targets = nextTokenLabels(padTexts(texts));
    const [hidden, logits, loss] = tidy(() => [
      model.transformer.forward(batch, INFERENCE),
      model.forward(batch, INFERENCE),
      model.loss(batch, targets, INFERENCE).loss,
    ]);
    expect(largestDifference(await hidden.data(), golden.hidden)).toBeLessThan(1e-4);
    expect(largestDifference(await logits.data(), golden.logits)).toBeLessThan(1e-4);
    expect((await loss.data())[0]).toBeCloseTo(golden.loss, 4);
    for (const held of [hidden, logits, loss, targets, batch]) held.dispose();
    const options = { maxNewTokens: golden.generated[0]!.length };
    // A text that ended early goes on to the longest's length alone.
    const longest = Math.max(...golden.generated.map((tokens) => tokens.length));
    const { tokens } = await model.generate(texts, { ...options, maxNewTokens: longest });
    expect(tokens).toEqual(golden.generated);
    model.dispose();
  });

  it.each(variants)("$name has transformers' gradients under a classifier's loss", async (golden) => {
    for (const [checkpointing, dtype] of [
      [false, 'float32'],
      [true, 'float32'],
      [false, 'float16'],
    ] satisfies [boolean, ActivationDtype][]) {
      // Half precision is the same code on every backend; one variant shows that nothing else is kept.
      if ((checkpointing || dtype === 'float16') && golden.name !== 'Qwen3') continue;
      const before = memory().numTensors;
      const { model } = await loadLlamaForSequenceClassification(tinyFiles(golden.config, 'score'), {
        numLabels: 3,
        quantization: null,
      });
      model.transformer.gradientCheckpointing = checkpointing;
      model.transformer.activationDtype = dtype;
      const batch = batchOf(model.config);
      const target: Tensor1D = tensor1d([...labels], 'int32');
      const logits = tidy(() => model.forward(batch, INFERENCE));
      expect(largestDifference(await logits.data(), golden.classifierLogits)).toBeLessThan(1e-4);
      logits.dispose();
      const { loss, gradients } = await gradientsOf(model, Object.keys(golden.gradients), () => {
        return model.loss(batch, target, { training: true }).loss;
      });
      expect(loss).toBeCloseTo(golden.classifierLoss, 4);
      for (const [path, expected] of Object.entries(golden.gradients)) {
        const limit = dtype === 'float16' ? 1e-2 : 1e-3;
        expect(relativeDistance(gradients.get(path)!, expected), `${path} on ${backend.name}`).toBeLessThan(limit);
      }
      for (const held of [batch, target, model]) held.dispose();
      expect(memory().numTensors).toBe(before);
    }
  });
});
