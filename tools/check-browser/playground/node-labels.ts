import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { unzipSync } from 'fflate';
import { loadTextClassifier } from '@qlora-js/finetune/node';

/** Labels of a text by the adapter in a zip file, in Node, written as the page shows them. */
export async function labelsInNode(
  zip: Uint8Array,
  { folder, text, topK }: { readonly folder: string; readonly text: string; readonly topK: number },
): Promise<string[]> {
  const adapter = join(folder, 'adapter');
  await mkdir(adapter, { recursive: true });
  for (const [name, bytes] of Object.entries(unzipSync(zip))) await writeFile(join(adapter, name), bytes);
  const classifier = await loadTextClassifier(adapter, { backend: 'wasm' });
  try {
    const [prediction] = await classifier.predict([text], { topK });
    return prediction!.labels.map(({ label, probability }) => `${label}${(100 * probability).toFixed(1)} %`);
  } finally {
    classifier.dispose();
  }
}
