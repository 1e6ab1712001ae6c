import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { bufferSource, openSafetensors, serializeSafetensors, toFloat32, type StoredTensor } from '@qlora-js/hub';
import { folderFiles, writeFolder } from '@qlora-js/hub/node';
import { openDevice } from '@qlora-js/kernels';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { embeddedBase, EMBEDDED_BASE } from '../base/base';
import { loadTextClassifier } from '../node';
import { trainedFolder, type TrainedFolder } from '../testing/trained-folder';
import { openClassifierParts, TextClassifier, type TextClassifierParts } from './text-classifier';

const TEXTS = Array.from({ length: 60 }, (_, i) => `${'please '.repeat(i % 7)}my card is lost number ${i}`);

describe('several adapters on one resident base', () => {
  let trained: TrainedFolder;
  let one: string;
  let other: string;
  beforeAll(async () => {
    trained = await trainedFolder({ maxSteps: 4, evalSteps: 4, learningRate: 2e-3 });
    [one, other] = [trained.adapter, join(trained.folder, 'other')];
    await writeFolder(other, await turnedAround(one));
  }, 120_000);
  afterAll(() => trained.remove());

  /** The same adapter with a head of the opposite sign. */
  async function turnedAround(from: string): Promise<Record<string, Uint8Array>> {
    const files = await folderFiles(from);
    const content: Record<string, Uint8Array> = {};
    for (const name of ['adapter_config.json', 'config.json', 'run.json', 'adapter_model.safetensors']) {
      const source = await files.open(name);
      content[name] = await source.read(0, source.size);
    }
    const saved = await openSafetensors(bufferSource(content['adapter_model.safetensors']!));
    const tensors = await Promise.all(
      [...saved.tensors.keys()].map(async (name): Promise<StoredTensor> => {
        const tensor = await saved.read(name);
        if (!name.includes('score')) return tensor;
        return { ...tensor, bytes: new Uint8Array(toFloat32(tensor).map((value) => -value).buffer) };
      }),
    );
    return { ...content, 'adapter_model.safetensors': serializeSafetensors(tensors, { format: 'pt' }) };
  }

  /** SHA-256 of every tensor of the base by name. */
  async function baseBytes({ model }: TextClassifierParts): Promise<Map<string, string>> {
    const bytes = new Map<string, string>();
    for (const [name, { value }] of model.namedParameters()) {
      if (/lora_|modules_to_save/.test(name)) continue;
      const data = (await value.data()) as Float32Array | Int32Array;
      bytes.set(name, createHash('sha256').update(data).digest('hex'));
    }
    return bytes;
  }

  it('switches between them without touching a byte of the base', async () => {
    const device = await openDevice({ backend: 'wasm' });
    const adapters = { one: await folderFiles(one), other: await folderFiles(other) };
    const parts = await openClassifierParts({
      adapters,
      base: { id: EMBEDDED_BASE, files: await embeddedBase() },
      device,
    });
    const before = await baseBytes(parts);
    expect(before.size).toBeGreaterThan(70);
    const tensors = device.memory().tensors;
    const classifier = new TextClassifier(parts);
    const ask = (adapter: string) => classifier.predict(TEXTS, { topK: 3, adapter });
    const [first, turned, again] = [await ask('one'), await ask('other'), await ask('one')];
    expect(again).toEqual(first);
    const names = (predictions: typeof first): string[] => predictions[0]!.labels.map(({ label }) => label);
    expect(names(turned)).toEqual(names(first).reverse());
    expect(device.memory().tensors).toBe(tensors);
    expect(await baseBytes(parts)).toEqual(before);
    classifier.dispose();
    device.dispose();
  });

  it('says the same to the bit with two threads', async () => {
    const folders = { one, other };
    const alone = await loadTextClassifier(folders, { backend: 'wasm' });
    const expected = [await alone.predict(TEXTS), await alone.predict(TEXTS, { adapter: 'other' })];
    alone.dispose();
    const threaded = await loadTextClassifier(folders, { backend: 'wasm', threads: 2 });
    const seen: number[] = [];
    const onProgress = (done: number): void => void seen.push(done);
    expect([
      await threaded.predict(TEXTS, { onProgress }),
      await threaded.predict(TEXTS, { adapter: 'other' }),
    ]).toEqual(expected);
    expect(seen.at(-1)).toBe(TEXTS.length);
    threaded.dispose();
  });
});
