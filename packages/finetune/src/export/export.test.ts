import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { bufferSource, memoryFiles, openGguf, openSafetensors, toFloat32, type ModelFiles } from '@qlora-js/hub';
import { folderFiles, writeFolder } from '@qlora-js/hub/node';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loadTextClassifier, mergeAdapterFolder } from '../node';
import { trainedFolder, type TrainedFolder } from '../testing/trained-folder';
import { ggufAdapter } from './gguf-adapter';

const TEXTS = ['i think my card is lost', 'please tell me the exchange rate', 'my pin must be another one'];

describe('what becomes of a saved adapter', () => {
  let trained: TrainedFolder;
  let out: string;
  beforeAll(async () => {
    trained = await trainedFolder({ maxSteps: 8, evalSteps: 4, learningRate: 2e-3, saveTotalLimit: 2 });
    out = trained.adapter;
  }, 120_000);
  afterAll(() => trained.remove());

  const labels = async (adapter: string): Promise<unknown> => {
    const classifier = await loadTextClassifier(adapter, { backend: 'wasm' });
    const predictions = await classifier.predict(TEXTS, { topK: 3 });
    classifier.dispose();
    return predictions;
  };

  it('labels texts with a checkpoint as with the adapter that was chosen of it', async () => {
    const checkpoints = join(out, 'checkpoints', 'default');
    const all = await Promise.all((await readdir(checkpoints)).map((name) => labels(join(checkpoints, name))));
    expect(all.length).toBeGreaterThan(0);
    expect(all).toContainEqual(await labels(out));
  });

  it('merges into float16 and 4 bits, each as a whole model, and says what it costs', async () => {
    const compareOn = { texts: TEXTS, labels: [0, 1, 2] };
    const { files, comparison } = await mergeAdapterFolder(out, { backend: 'wasm', compareOn });
    expect(comparison.map(({ name }) => name)).toEqual(['adapter', 'dense merge', '4-bit merge']);
    expect(comparison[0]!.logitsRmse).toBe(0);
    expect(comparison[1]!.logitsRmse).toBeLessThan(1e-3);
    expect(comparison[2]!.logitsRmse).toBeGreaterThan(10 * comparison[1]!.logitsRmse);
    expect(JSON.parse(files['config.json'] as string)).toMatchObject({
      architectures: ['GPT2ForSequenceClassification'],
      dtype: 'float16',
      id2label: { 2: 'change_pin' },
    });
    const weights = await openSafetensors(bufferSource(files['model.safetensors'] as Uint8Array));
    expect(weights.tensors.get('transformer.h.0.mlp.c_fc.weight')).toMatchObject({ dtype: 'F16', shape: [256, 1024] });
    expect(weights.tensors.get('score.weight')).toMatchObject({ shape: [3, 256] });
    const four = await mergeAdapterFolder(out, { backend: 'wasm', dtype: '4bit' });
    expect(JSON.parse(four.files['config.json'] as string)).toMatchObject({
      quantization_config: { bnb_4bit_quant_type: 'nf4', bnb_4bit_use_double_quant: true },
    });
    expect((four.files['model.safetensors'] as Uint8Array).length).toBeLessThan(
      (files['model.safetensors'] as Uint8Array).length,
    );
    await expect(mergeAdapterFolder(out, { backend: 'wasm', from: 'original' })).rejects.toThrow(
      /holds no weights of transformer\.h\.0\.attn\.c_attn from before quantisation/,
    );
    const plain = join(trained.folder, 'merged');
    await writeFolder(plain, files);
    expect(await (await folderFiles(plain)).has('tokenizer_config.json')).toBe(true);
  });

  it('exports a GGUF adapter whose tensors are the saved ones, and refuses what such a file can not say', async () => {
    const adapter = await folderFiles(out);
    const { bytes, leftOut } = await ggufAdapter(adapter);
    expect(leftOut).toEqual(['base_model.model.score.weight']);
    const file = await openGguf(bufferSource(bytes));
    expect(Object.fromEntries(file.metadata)).toMatchObject({
      'general.type': 'adapter',
      'adapter.type': 'lora',
      'adapter.lora.alpha': 32,
    });
    expect(file.tensors.size).toBe(6 * 3 * 2);
    const saved = await openSafetensors(await adapter.open('adapter_model.safetensors'));
    for (const [theirs, ours] of [
      ['h.0.attn.c_attn', 'blk.0.attn_qkv'],
      ['h.5.mlp.c_proj', 'blk.5.ffn_down'],
    ]) {
      for (const side of ['A', 'B']) {
        const own = await saved.read(`base_model.model.transformer.${theirs}.lora_${side}.weight`);
        const read = await file.read(`${ours}.weight.lora_${side.toLowerCase()}`);
        expect([read.shape, toFloat32(read)]).toEqual([own.shape, toFloat32(own)]);
      }
    }
    await expect(ggufAdapter(await changed(adapter, { use_dora: true }))).rejects.toThrow(/DoRA/);
    const rs = await openGguf(bufferSource((await ggufAdapter(await changed(adapter, { use_rslora: true }))).bytes));
    expect(rs.metadata.get('adapter.lora.alpha')).toBe(32 * 4);
    const patterned = await changed(adapter, { alpha_pattern: { 'h.0.attn.c_attn': 8 } });
    await expect(ggufAdapter(patterned)).rejects.toThrow(/alphas 8, 32/);
  });

  async function changed(files: ModelFiles, config: object): Promise<ModelFiles> {
    const weights = await files.open('adapter_model.safetensors');
    return memoryFiles('changed', {
      'config.json': JSON.stringify(await files.json('config.json')),
      'adapter_config.json': JSON.stringify({ ...((await files.json('adapter_config.json')) as object), ...config }),
      'adapter_model.safetensors': await weights.read(0, weights.size),
    });
  }
});
