import { openDevice, INFERENCE } from '@qlora-js/kernels';
import { folderFiles, fileSource } from '@qlora-js/hub/node';
import { openSafetensors, toFloat32 } from '@qlora-js/hub';
import { loadGpt2ForSequenceClassification, tokenBatch } from '@qlora-js/gpt2';
import { PeftModel, loadAdapter } from '@qlora-js/lora';
import { windowGradients } from './loop/gradients';
import { sequenceClassifier } from './model/sequence-classifier';
const F = '/work/shared/fixtures';
const device = await openDevice({ backend: (process.argv[2] ?? 'cpu') as 'cpu' });
let t = performance.now();
const { model, report } = await loadGpt2ForSequenceClassification(await folderFiles('/work/shared/mini'), { numLabels: 77, quantization: { doubleQuant: true }, config: { attnPdrop: 0, residPdrop: 0, embdPdrop: 0 } });
console.log('load', performance.now() - t, report);
const peft = new PeftModel(model);
await loadAdapter(peft, await folderFiles(`${F}/adapter-start`));
console.log(peft.trainableParametersLine());
const g = await openSafetensors(await fileSource(`${F}/training.safetensors`));
const ints = async (n: string) => { const x = await g.read(n); return { data: new Int32Array(x.bytes.slice().buffer), shape: x.shape }; };
const b0 = await ints('batch0.input_ids'); const m0 = await ints('batch0.attention_mask'); const l0 = await ints('batch0.labels');
const collated = { inputIds: b0.data, attentionMask: m0.data, labels: l0.data, batchSize: b0.shape[0]!, length: b0.shape[1]!, realTokens: 0 };
const tb = tokenBatch(collated, { padTokenId: 50256, nPositions: 256, vocabSize: 50257 });
console.log('rows', tb.rows, 'padded', b0.shape);
t = performance.now();
const logits = await model.forward(tb, INFERENCE).data();
console.log('forward ms', performance.now() - t);
const want = toFloat32(await g.read('logits0'));
let err = 0; want.forEach((w, i) => (err = Math.max(err, Math.abs(w - logits[i]!)))); console.log('max logits err', err, want.slice(0, 3), logits.slice(0, 3));
const c = sequenceClassifier(peft, { padTokenId: 50256 });
t = performance.now();
const { loss, gradients } = windowGradients(c, c.trainedVariables(), [collated], { seed: 0, step: 0 });
console.log('grad ms', performance.now() - t, (await loss.data())[0], toFloat32(await g.read('loss0'))[0]);
let worst = 0, wname = '';
for (const [name, grad] of gradients) {
  const key = 'grad0.' + name.replace('.default', '');
  const w = toFloat32(await g.read(key)); const a = await grad.data();
  let d = 0, n = 0; w.forEach((x, i) => { d += (x - a[i]!) ** 2; n += x * x; });
  const e = Math.sqrt(d / n); console.log(e.toExponential(2), name);if (e > worst) { worst = e; wname = name; }
}
console.log('worst grad rel L2', worst, wname, gradients.size);
console.log(device.report());
