import { tidy, type Tensor2D } from '@tensorflow/tfjs-core';
import type { Task } from '@qlora-js/data';
import { tokenBatch } from '@qlora-js/gpt2';
import type { ModelFiles } from '@qlora-js/hub';
import { INFERENCE, type Device } from '@qlora-js/kernels';
import { loadAdapter, readAdapterConfig, type PeftModel } from '@qlora-js/lora';
import { openBase, type BaseModel } from '../base/base';
import type { ClassifierModel } from '../base/family';
import { FinetuneError } from '../errors';
import { buildClassifier } from '../model/build';
import { dealOut, type BatchThread } from './batch-thread';
import { SILENT, type Output } from '../run/output';
import { readSavedClassifier, type SavedClassifier } from '../saving/classifier-config';
import { DEFAULT_THRESHOLD, outputsOf } from '../task/outputs';

/** A label and how probable the model holds it to be. */
export interface LabelProbability {
  /** The label's name. */
  readonly label: string;
  /** From 0 to 1. */
  readonly probability: number;
}

/** A text and what is said of it. */
export interface Prediction {
  /** The text as it was given. */
  readonly text: string;
  /** The most probable labels, the first one first: of several labels a text, those above the threshold; none under regression. */
  readonly labels: readonly LabelProbability[];
  /** The number; under regression alone. */
  readonly value?: number;
}

/** How texts are labelled. */
export interface PredictOptions {
  /** Labels to give for each text, at most. Default 1; where a text may have several, all. */
  readonly topK?: number;
  /** Probability above which a text has a label, where it may have several. Default 0.5. */
  readonly threshold?: number;
  /** Name of the adapter, where there are several. Default the first. */
  readonly adapter?: string;
  /** Called as texts are done. */
  readonly onProgress?: (done: number, total: number) => void;
}

/** Tokens a batch has, padding left out: enough to keep the products busy, few enough to stay in the caches. */
const BATCH_TOKENS = 512;

/** What a classifier is made of. */
export interface TextClassifierParts {
  /** The base with its adapters. */
  readonly model: PeftModel<ClassifierModel>;
  /** The base's tokenizer and padding. */
  readonly base: BaseModel;
  /** Labels and lengths by adapter. */
  readonly saved: ReadonlyMap<string, SavedClassifier>;
  /** Threads that take batches too, to the same bits; none by default. */
  readonly threads?: readonly BatchThread[];
}

/** Labels texts with saved adapters on one resident base. */
export class TextClassifier {
  constructor(private readonly parts: TextClassifierParts) {}

  /** Names of the adapters that can be asked. */
  get adapterNames(): string[] {
    return [...this.parts.saved.keys()];
  }

  /** Labels of an adapter in the order of their ids; of a regression the name of its number. @throws FinetuneError `BAD_ARGUMENT` */
  labels(adapter?: string): readonly string[] {
    return this.settings(adapter).labelMap.names;
  }

  /** What an adapter has learnt. @throws FinetuneError `BAD_ARGUMENT` */
  task(adapter?: string): Task {
    return this.settings(adapter).task;
  }

  /**
   * The labels or the number of each text, in the order the texts came.
   * @throws FinetuneError `NO_TEXT` for an empty text, naming it by its number; `BAD_ARGUMENT`
   */
  async predict(texts: readonly string[], options: PredictOptions = {}): Promise<Prediction[]> {
    const { task, labelMap } = this.settings(options.adapter);
    const several = task === 'multi_label_classification';
    const { topK = several ? labelMap.size : 1, threshold = DEFAULT_THRESHOLD } = options;
    if (!Number.isInteger(topK) || topK < 1) throw badArgument('topK', topK, 'a whole number of 1 or more');
    if (!(threshold >= 0 && threshold < 1)) throw badArgument('threshold', threshold, 'a number from 0 to below 1');
    const outputs = await this.outputs(texts, options);
    return texts.map((text, row) => {
      const values = outputs.subarray(row * labelMap.size, (row + 1) * labelMap.size);
      if (task === 'regression') return { text, labels: [], value: values[0]! };
      const labels = ranked(values, labelMap.names).slice(0, topK);
      return { text, labels: several ? labels.filter(({ probability }) => probability > threshold) : labels };
    });
  }

  /**
   * Probabilities of every label, or numbers, [texts, labels], flat, in the order the texts came. Batches are of texts of like
   * length, whatever that order.
   * @throws as `predict`
   */
  async outputs(
    texts: readonly string[],
    options: Pick<PredictOptions, 'adapter' | 'onProgress'> = {},
  ): Promise<Float32Array> {
    const { onProgress } = options;
    const { labelMap, maxLength } = this.settings(options.adapter);
    texts.forEach((text, index) => {
      if (typeof text === 'string' && text.trim() !== '') return;
      throw new FinetuneError('NO_TEXT', `text ${index + 1} of ${texts.length} is empty: it has no label`, {
        value: text,
      });
    });
    const outputs = new Float32Array(texts.length * labelMap.size);
    const { inputIds } = this.parts.base.tokenizer.batch(texts, { truncation: true, maxLength });
    const { threads = [] } = this.parts;
    const adapter = options.adapter ?? this.adapterNames[0]!;
    // The longest first: at the end no thread waits long for another.
    const batches = batchesByLength(inputIds).reverse();
    const idsOf = (rows: readonly number[]): number[][] => rows.map((row) => inputIds[row]!);
    let done = 0;
    await dealOut(
      batches,
      {
        own: (rows) => this.batchOutputs(idsOf(rows), adapter),
        others: threads.map((thread) => (rows) => thread.outputs(idsOf(rows), adapter)),
      },
      (batch, values) => {
        const rows = batches[batch]!;
        rows.forEach((row, place) => {
          outputs.set(values.subarray(place * labelMap.size, (place + 1) * labelMap.size), row * labelMap.size);
        });
        onProgress?.((done += rows.length), texts.length);
      },
    );
    return outputs;
  }

  /** Frees the model. */
  dispose(): void {
    for (const thread of this.parts.threads ?? []) void thread.end();
    this.parts.model.dispose();
  }

  private settings(adapter = this.adapterNames[0]): SavedClassifier {
    const settings = adapter === undefined ? undefined : this.parts.saved.get(adapter);
    if (settings !== undefined) return settings;
    throw new FinetuneError(
      'BAD_ARGUMENT',
      `there is no adapter '${adapter}'; the adapters are ${this.adapterNames.join(', ')}`,
      {
        value: adapter,
      },
    );
  }

  /** Probabilities or numbers [rows, labels], flat, of one batch. */
  async batchOutputs(inputIds: readonly (readonly number[])[], adapter: string): Promise<Float32Array> {
    const { task, labelMap } = this.settings(adapter);
    const { model } = this.parts;
    if (model.activeAdapters.join() !== adapter) model.setAdapter(adapter);
    const result = batchLogits(this.parts, inputIds);
    try {
      return outputsOf(task, (await result.data()) as Float32Array, labelMap.size);
    } finally {
      result.dispose();
    }
  }
}

/** Logits [rows, labels] of the active adapter. */
export function batchLogits(
  { model, base }: Pick<TextClassifierParts, 'model' | 'base'>,
  inputIds: readonly (readonly number[])[],
): Tensor2D {
  const { padTokenId } = base;
  const { nPositions, vocabSize } = model.base.config;
  const batch = tokenBatch(
    inputIds.map((ids) => ({ ids })),
    { padTokenId, nPositions, vocabSize },
  );
  try {
    return tidy(() => model.base.forward(batch, INFERENCE));
  } finally {
    batch.dispose();
  }
}

/** Row numbers by length, cut into batches of about equal work. */
export function batchesByLength(inputIds: readonly ArrayLike<number>[]): number[][] {
  const order = [...inputIds.keys()].sort((one, other) => inputIds[one]!.length - inputIds[other]!.length);
  const batches: number[][] = [];
  let tokens = Infinity;
  for (const row of order) {
    const length = inputIds[row]!.length;
    if (tokens + length > BATCH_TOKENS) {
      batches.push([]);
      tokens = 0;
    }
    batches.at(-1)!.push(row);
    tokens += length;
  }
  return batches;
}

function ranked(probabilities: Float32Array, names: readonly string[]): LabelProbability[] {
  const order = [...probabilities.keys()].sort((one, other) => probabilities[other]! - probabilities[one]!);
  return order.map((id) => ({ label: names[id]!, probability: probabilities[id]! }));
}

function badArgument(name: string, value: number, wanted: string): FinetuneError {
  return new FinetuneError('BAD_ARGUMENT', `${name} is ${value}, but ${wanted} is needed`, { value });
}

/** How saved adapters are opened. */
export interface OpenClassifierOptions {
  /** Folders of adapters by name, all trained on one base. */
  readonly adapters: Readonly<Record<string, ModelFiles>>;
  /** The base's files, and what the adapters call it. */
  readonly base: { readonly id: string; readonly files: ModelFiles; readonly revision?: string };
  /** Where it computes. */
  readonly device: Device;
  /** Where progress and warnings go. Default nowhere. */
  readonly output?: Output;
  /** Threads that take batches too. Default none. */
  readonly threads?: readonly BatchThread[];
}

/**
 * A base with one or more saved adapters on it, ready to label texts.
 * @throws FinetuneError `BAD_ADAPTER`; LoraError where an adapter does not fit the base
 */
export async function openTextClassifier(options: OpenClassifierOptions): Promise<TextClassifier> {
  return new TextClassifier(await openClassifierParts(options));
}

/** The same in its parts. */
export async function openClassifierParts(options: OpenClassifierOptions): Promise<TextClassifierParts> {
  const { adapters, device, output = SILENT } = options;
  const saved = new Map<string, SavedClassifier>();
  for (const [name, files] of Object.entries(adapters)) {
    await readAdapterConfig(files);
    saved.set(name, await readSavedClassifier(files));
  }
  const [first] = saved.values();
  if (first === undefined) throw new FinetuneError('BAD_ARGUMENT', 'a classifier needs an adapter');
  for (const [name, other] of saved) {
    if (
      other.labelMap.size === first.labelMap.size &&
      JSON.stringify(other.quantization) === JSON.stringify(first.quantization)
    )
      continue;
    throw new FinetuneError(
      'BAD_ADAPTER',
      `the adapter '${name}' has another number of labels or another quantisation than the first: one base can't serve both`,
    );
  }
  const { files, id, revision } = options.base;
  const longest = Math.max(...[...saved.values()].map(({ maxLength }) => maxLength));
  const base = await openBase(files, { id, revision, padding: { maxLength: longest, paddingSide: 'right' } });
  const { quantization, seed, labelMap } = first;
  const model = await buildClassifier(base, {
    numLabels: labelMap.size,
    seed,
    quantization,
    device,
    // A head that starts anew is replaced by the adapter's: nothing to say.
    output: { ...output, line: () => undefined },
  });
  for (const [name, adapter] of Object.entries(adapters)) await loadAdapter(model, adapter, name);
  return { model, base, saved, threads: options.threads };
}
