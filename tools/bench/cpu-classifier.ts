import { baseMiniFiles } from '@qlora-js/base-mini';
import { loadGpt2ForSequenceClassification } from '@qlora-js/gpt2';
import { getPeftModel, loraConfig } from '@qlora-js/lora';
import { sequenceClassifier, type ClassificationBatch, type TrainableModel } from '@qlora-js/trainer';

export const PAD = 50_256;
export const LABELS = 77;

/** The small base in NF4 with double quantisation under LoRA of rank 16, dropout 0.1 throughout; on the current device. */
export async function cpuClassifier(): Promise<TrainableModel<ClassificationBatch>> {
  const { model } = await loadGpt2ForSequenceClassification(await baseMiniFiles(), { numLabels: LABELS });
  const lora = loraConfig({
    r: 16,
    loraAlpha: 32,
    loraDropout: 0.1,
    targetModules: ['c_attn', 'c_proj'],
    taskType: 'SEQ_CLS',
  });
  return sequenceClassifier(getPeftModel(model, lora), { padTokenId: PAD });
}
