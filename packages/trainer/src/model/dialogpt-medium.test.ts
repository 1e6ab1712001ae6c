import { scalar, tensor1d, zeros, type Tensor2D } from '@tensorflow/tfjs-core';
import { GPT2ForSequenceClassification, GPT2Model, parseGpt2Config, type BlockLayers } from '@qlora-js/gpt2';
import { LayerNorm, LinearLayer, openDevice, Parameter } from '@qlora-js/kernels';
import { getPeftModel, loraConfig } from '@qlora-js/lora';
import { expect, it } from 'vitest';

/** A layer of a shape without the weights: what counting needs of 302 million of them. */
class ShapeOnly extends LinearLayer {
  constructor(
    readonly inFeatures: number,
    readonly outFeatures: number,
  ) {
    super();
    this.setParameter('weight', new Parameter(scalar(0), inFeatures * outFeatures));
    this.setParameter('bias', new Parameter(scalar(0), outFeatures));
  }

  forward(): Tensor2D {
    throw new Error('a layer without weights computes nothing');
  }

  denseWeight(): Tensor2D {
    throw new Error('a layer without weights has none');
  }

  withWeight(): LinearLayer {
    throw new Error('a layer without weights takes none');
  }
}

it("prints PEFT's own line for DialoGPT-medium under the reference's adapter", async () => {
  const device = await openDevice({ backend: 'wasm' });
  // What microsoft/DialoGPT-medium's config.json says.
  const config = parseGpt2Config({ n_embd: 1024, n_layer: 24, n_head: 16, n_positions: 1024, vocab_size: 50257 });
  const norm = (): LayerNorm => new LayerNorm(tensor1d(new Float32Array(1024)), tensor1d(new Float32Array(1024)), 1e-5);
  const blocks = Array.from({ length: 24 }, (): BlockLayers => ({
    ln1: norm(),
    cAttn: new ShapeOnly(1024, 3072),
    attnProjection: new ShapeOnly(1024, 1024),
    ln2: norm(),
    cFc: new ShapeOnly(1024, 4096),
    mlpProjection: new ShapeOnly(4096, 1024),
  }));
  const backbone = new GPT2Model(config, { wte: zeros([50257, 1024]), wpe: zeros([1024, 1024]), blocks, lnF: norm() });
  const model = getPeftModel(
    new GPT2ForSequenceClassification(backbone, zeros([77, 1024])),
    loraConfig({
      r: 16,
      loraAlpha: 32,
      loraDropout: 0.1,
      targetModules: ['c_attn', 'c_proj'],
      bias: 'none',
      taskType: 'SEQ_CLS',
    }),
  );
  expect(model.trainableParametersLine()).toBe(
    'trainable params: 4,404,224 || all params: 359,306,240 || trainable%: 1.2258',
  );
  expect([...model.namedParameters()].filter(([, parameter]) => parameter.requiresGrad)).toHaveLength(145);
  model.dispose();
  device.dispose();
});
