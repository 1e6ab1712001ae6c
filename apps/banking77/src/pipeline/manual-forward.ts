import { tidy, type Tensor2D } from '@tensorflow/tfjs-core';
import { DataCollatorWithPadding } from '@qlora-js/data';
import { INFERENCE } from '@qlora-js/kernels';
import { sequenceClassifier, uploadBatch } from '@qlora-js/trainer';
import type { RunContext } from './context';

const SENTENCE = 'This is a test sentence for banking.';

export interface ManualForward {
  readonly inputIdsShape: readonly [number, number];
  readonly attentionMaskShape: readonly [number, number];
  readonly outputKeys: readonly string[];
  readonly logitsShape: readonly number[];
  readonly loss: number;
}

/** One sentence through the model by hand, padded to the maximum length: shapes, keys and a loss that is a number. */
export async function manualForward({ base, model, options }: RunContext): Promise<ManualForward> {
  const { inputIds } = base.tokenizer.batch([SENTENCE], { truncation: true, maxLength: options.maxLength });
  const collator = new DataCollatorWithPadding({
    padTokenId: base.padTokenId,
    paddingSide: options.paddingSide,
    padding: 'max_length',
    maxLength: options.maxLength,
  });
  const row = { input_ids: inputIds[0]!, label: 0 };
  const collated = collator.collate([row]);
  const classifier = sequenceClassifier(model, { padTokenId: base.padTokenId });
  const batch = uploadBatch(classifier, collated);
  const output = tidy(() => classifier.loss(batch, INFERENCE));
  const [loss] = await output.loss.data();
  const logits: Tensor2D = output.logits;
  const result: ManualForward = {
    inputIdsShape: [collated.batchSize, collated.length],
    attentionMaskShape: [collated.batchSize, collated.attentionMask.length / collated.batchSize],
    outputKeys: Object.keys(output),
    logitsShape: logits.shape,
    loss: loss!,
  };
  output.loss.dispose();
  logits.dispose();
  batch.dispose();
  if (!Number.isFinite(result.loss)) throw new Error(`the forward pass of one sentence gave the loss ${result.loss}`);
  return result;
}
