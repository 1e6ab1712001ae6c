import { openDevice } from '@qlora-js/kernels';
import { folderFiles } from '@qlora-js/hub/node';
import { loadGpt2ForSequenceClassification } from '@qlora-js/gpt2';
import { getPeftModel, loraConfig } from '@qlora-js/lora';
import { createOptimizer, clipGradients, decayGroups } from '@qlora-js/optim';
import { dispose } from '@tensorflow/tfjs-core';
import { windowGradients } from './loop/gradients';
import { sequenceClassifier } from './model/sequence-classifier';
const device = await openDevice({ backend: (process.argv[2] ?? 'wasm') as 'cpu' });
const { model } = await loadGpt2ForSequenceClassification(await folderFiles('/work/shared/mini'), { numLabels: 77 });
const peft = getPeftModel(model, loraConfig({ r: 16, loraAlpha: 32, loraDropout: 0.1, targetModules: ['c_attn', 'c_proj'], taskType: 'SEQ_CLS' }));
const c = sequenceClassifier(peft, { padTokenId: 50256 });
const trained = c.trainedVariables();
const opt = createOptimizer('paged_adamw_8bit', decayGroups(trained, 0.01));
for (const [B, T] of [[16, 16], [16, 24], [16, 64]] as const) {
  const collated = { inputIds: Int32Array.from({ length: B * T }, () => Math.floor(Math.random() * 50000)), attentionMask: new Int32Array(B * T).fill(1), labels: Int32Array.from({ length: B }, (_, i) => i), batchSize: B, length: T, realTokens: B * T };
  const ts: number[] = [], os: number[] = [];
  for (let s = 0; s < 8; s++) {
    const t = performance.now();
    const { loss, gradients } = windowGradients(c, trained, [collated], { seed: 0, step: s });
    const t1 = performance.now();
    const { norm, control } = clipGradients(gradients, { maxNorm: 1 });
    await opt.step(gradients, { learningRate: 1e-4, control });
    dispose([loss, norm, control, ...gradients.values()]);
    ts.push(performance.now() - t); os.push(performance.now() - t1);
  }
  console.log(B, T, 'ms/step', ts.sort((a, b) => a - b)[3]!.toFixed(0), 'min', ts[0]!.toFixed(0), 'opt', os.sort((a, b) => a - b)[3]!.toFixed(1));
}
console.log(device.memory());
