import type { LabelMap } from '@qlora-js/data';
import type { Device } from '@qlora-js/kernels';
import type { GPT2ForSequenceClassification } from '@qlora-js/gpt2';
import type { PeftModel } from '@qlora-js/lora';
import type { Replicas } from '@qlora-js/trainer';
import type { RunOptions } from '../cli/options';
import type { Output } from '../terminal/output';
import type { Base } from './base';
import type { TokenSplits } from './data';

/** What every stage after loading works with. */
export interface RunContext {
  readonly options: RunOptions;
  readonly output: Output;
  readonly device: Device;
  readonly base: Base;
  readonly labelMap: LabelMap;
  readonly splits: TokenSplits;
  readonly model: PeftModel<GPT2ForSequenceClassification>;
  /** Copies of the base in further threads, which every training uses; undefined with one thread. */
  readonly replicas: Replicas | undefined;
}
