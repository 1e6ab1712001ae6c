import { tidy } from '@tensorflow/tfjs-core';
import { INFERENCE } from '@qlora-js/kernels';
import { sequenceClassifier, uploadBatch } from '@qlora-js/trainer';
import { DataCollatorWithPadding, padBatch } from '@qlora-js/data';
import { FinetuneError } from '../errors';
import type { FineTuneContext } from '../run/context';

const SENTENCE = 'This is a test sentence for banking.';

/** Shapes, keys and loss of one sentence. */
export interface ManualForward {
  /** [1, maxLength] */
  readonly inputIdsShape: readonly [number, number];
  /** [1, maxLength] */
  readonly attentionMaskShape: readonly [number, number];
  /** What the model gives back. */
  readonly outputKeys: readonly string[];
  /** [1, labels] */
  readonly logitsShape: readonly number[];
  /** Loss against the first label, no label of several, or the number 0. */
  readonly loss: number;
}

/** One sentence through the model by hand, padded to the maximum length: a check that shapes and loss are what they should be. */
export async function manualForward({ base, data, model, settings }: FineTuneContext): Promise<ManualForward> {
  const { maxLength, paddingSide } = settings.padding;
  const tokens = base.tokenizer.batch([SENTENCE], { truncation: true, maxLength });
  const { padTokenId } = base;
  const { task: problemType } = data;
  const collator = new DataCollatorWithPadding({
    ...{ padTokenId, paddingSide, padding: 'max_length', maxLength, problemType },
  });
  const label = problemType === 'multi_label_classification' ? new Uint8Array(model.base.numLabels) : 0;
  const collated = collator.collate([{ input_ids: tokens.inputIds[0]!, label } as { input_ids: number[] }]);
  const { inputIds, attentionMask } = padBatch(collated, padTokenId);
  const classifier = sequenceClassifier(model, { padTokenId, problemType });
  const batch = uploadBatch(classifier, collated);
  const output = tidy(() => classifier.loss(batch, INFERENCE));
  const [loss] = await output.loss.data();
  const result: ManualForward = {
    inputIdsShape: [collated.batchSize, inputIds.length / collated.batchSize],
    attentionMaskShape: [collated.batchSize, attentionMask.length / collated.batchSize],
    outputKeys: Object.keys(output),
    logitsShape: output.logits.shape,
    loss: loss!,
  };
  output.loss.dispose();
  output.logits.dispose();
  batch.dispose();
  if (!Number.isFinite(result.loss))
    throw new FinetuneError('BAD_ADAPTER', `the forward pass of one sentence gave the loss ${result.loss}`);
  return result;
}
