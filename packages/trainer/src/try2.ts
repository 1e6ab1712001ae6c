import { openDevice, INFERENCE } from '@qlora-js/kernels';
import { folderFiles, fileSource } from '@qlora-js/hub/node';
import { openSafetensors, toFloat32 } from '@qlora-js/hub';
import { loadGpt2ForSequenceClassification, tokenBatch } from '@qlora-js/gpt2';
import { PeftModel, loadAdapter } from '@qlora-js/lora';
const F = '/work/shared/fixtures';
const device = await openDevice({ backend: (process.argv[2] ?? 'cpu') as 'cpu' });
const src = process.argv[3] ?? 'base';
const { model, report } = await loadGpt2ForSequenceClassification(await folderFiles('/work/shared/mini'), { numLabels: 77, quantization: {doubleQuant:true}, config: { attnPdrop: 0, residPdrop: 0, embdPdrop: 0 } });
const peft = new PeftModel(model);
await loadAdapter(peft, await folderFiles(`${F}/adapter-start`));
const g = await openSafetensors(await fileSource(`${F}/training.safetensors`));
const ints = async (n: string) => { const x = await g.read(n); return { data: new Int32Array(x.bytes.slice().buffer), shape: x.shape }; };
const b0 = await ints('batch0.input_ids'); const m0 = await ints('batch0.attention_mask');
const tb = tokenBatch({ inputIds: b0.data, attentionMask: m0.data, batchSize: 16, length: b0.shape[1]! }, { padTokenId: 50256, nPositions: 256, vocabSize: 50257, packed: false });
const hs = model.transformer.hiddenStates(tb, INFERENCE);
for (let i = 0; i < hs.length; i++) {
  const w = toFloat32(await g.read(`hidden0.${i}`)); const a = await hs[i]!.data(); let e = 0, at = 0, er = 0; 
  w.forEach((x, j) => { const d = Math.abs(x - a[j]!); if (d > e) { e = d; at = j; } if (m0.data[Math.floor(j/256)] && d > er) er = d; });
  console.log(i, 'max err', e, 'at row', Math.floor(at / 256), 'mask', m0.data[Math.floor(at/256)], 'real rows err', er, 'scale', Math.max(...w.map(Math.abs)));
}
