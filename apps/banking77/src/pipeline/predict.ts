import { softmax, tidy } from '@tensorflow/tfjs-core';
import { DataCollatorWithPadding } from '@qlora-js/data';
import { folderFiles } from '@qlora-js/hub/node';
import { INFERENCE, openDevice } from '@qlora-js/kernels';
import { loadAdapter, PeftModel, readAdapterConfig } from '@qlora-js/lora';
import { sequenceClassifier, uploadBatch } from '@qlora-js/trainer';
import type { PredictOptions } from '../cli/program';
import type { Output } from '../terminal/output';
import { buildClassifier, openBase } from './base';
import { readClassifierSettings } from './saved-adapter';

export interface Prediction {
  readonly text: string;
  /** Most probable first. */
  readonly labels: readonly { readonly label: string; readonly probability: number }[];
}

const BATCH_SIZE = 64;

/** Labels texts with an adapter that a run saved. */
export async function predictTexts(options: PredictOptions, output: Output): Promise<Prediction[]> {
  const files = await folderFiles(options.adapter);
  const { settings, labelMap } = await readClassifierSettings(files);
  const config = await readAdapterConfig(files);
  const device = await openDevice({ backend: options.backend, log: (line) => output.warn(line) });
  try {
    const base = await openBase(options.base ?? config.baseModelNameOrPath ?? undefined, settings.maxLength, 'right');
    const model = new PeftModel(
      await buildClassifier(base, labelMap.size, settings, { device, output: { ...output, line: () => undefined } }),
    );
    await loadAdapter(model, files);
    const classifier = sequenceClassifier(model, { padTokenId: base.padTokenId });
    const collator = new DataCollatorWithPadding({ padTokenId: base.padTokenId });
    const predictions: Prediction[] = [];
    for (let start = 0; start < options.texts.length; start += BATCH_SIZE) {
      const texts = options.texts.slice(start, start + BATCH_SIZE);
      const { inputIds } = base.tokenizer.batch(texts, { truncation: true, maxLength: settings.maxLength });
      const batch = uploadBatch(classifier, collator.collate(inputIds.map((ids) => ({ input_ids: ids, label: 0 }))));
      const probabilities = tidy(() => softmax(classifier.loss(batch, INFERENCE).logits));
      const values = await probabilities.data();
      probabilities.dispose();
      batch.dispose();
      texts.forEach((text, row) => {
        const labels = labelMap.names.map((label, id) => ({ label, probability: values[row * labelMap.size + id]! }));
        labels.sort((a, b) => b.probability - a.probability);
        predictions.push({ text, labels: labels.slice(0, options.topK) });
      });
    }
    model.dispose();
    return predictions;
  } finally {
    device.dispose();
  }
}
