import { concat, tidy, transpose, type Tensor, type Tensor2D } from '@tensorflow/tfjs-core';
import { transposed } from '@qlora-js/gpt2';
import {
  float32ToBfloat16,
  float32ToFloat16,
  memoryFiles,
  openCheckpoint,
  serializeSafetensors,
  toFloat32,
  type ModelFiles,
  type StoredTensor,
} from '@qlora-js/hub';
import { LinearLayer } from '@qlora-js/kernels';
import {
  compareMerges,
  mergeAdapters,
  type MergeComparisonRow,
  type MergeOptions,
  type OriginalWeights,
} from '@qlora-js/lora';
import { quantizeCheckpoint } from '@qlora-js/quant';
import type { ClassifierModel } from '../base/family';
import { FinetuneError } from '../errors';
import {
  batchesByLength,
  batchLogits,
  openClassifierParts,
  type OpenClassifierOptions,
  type TextClassifierParts,
} from '../predict/text-classifier';
import type { AdapterFolder } from '../saving/describing-files';
import { CONFIG, classifierConfig } from '../saving/classifier-config';

/** How the merged weights are stored. */
export const MERGED_TYPES = ['float16', 'bfloat16', 'float32', '4bit'] as const;

/** What an adapter is merged into, and on which rows that is looked at. */
export interface MergeClassifierOptions extends Omit<OpenClassifierOptions, 'adapters'> {
  /** The adapter's folder. */
  readonly adapter: ModelFiles;
  /** Default float16. */
  readonly dtype?: (typeof MERGED_TYPES)[number];
  /**
   * What the adapter is added to: what the 4-bit weights that it was trained on decode to, or the weights from before
   * quantisation. Default decoded.
   */
  readonly from?: 'decoded' | 'original';
  /** Rows to see on what merging costs; none by default. */
  readonly compareOn?: ComparedRows;
}

/** Texts and, where they are known, the ids of their labels. */
export interface ComparedRows {
  /** Not empty. */
  readonly texts: readonly string[];
  /** As many as texts. */
  readonly labels?: readonly number[];
}

/** A merged model. */
export interface MergedClassifier {
  /** A folder that transformers' `AutoModelForSequenceClassification` loads by itself. */
  readonly files: AdapterFolder;
  /** The adapter and both ways of merging side by side; none where no rows were given. */
  readonly comparison: readonly MergeComparisonRow[];
}

/**
 * Adds a saved adapter into its base's weights: one model without adapters.
 * @throws FinetuneError BAD_ADAPTER, BAD_ARGUMENT; HubError, LoraError, QuantError
 */
export async function mergeClassifier(options: MergeClassifierOptions): Promise<MergedClassifier> {
  const { adapter, dtype = 'float16', from = 'decoded', compareOn } = options;
  const parts = await openClassifierParts({ ...options, adapters: { default: adapter } });
  const { model, base, saved } = parts;
  try {
    const classifier = saved.get('default')!;
    const start: MergeOptions['base'] = from === 'decoded' ? 'decoded' : await originalWeights(base.files, model.base);
    model.setAdapter('default');
    const comparison = compareOn === undefined ? [] : await compared(parts, compareOn, start);
    await mergeAdapters(model, { into: 'dense', base: start });
    const kept = dtype === '4bit' ? 'float16' : dtype;
    const tensors = await denseTensors(model.base, kept);
    const config = JSON.parse(await classifierConfig(base, classifier)) as object;
    const files: AdapterFolder = {
      [CONFIG]: `${JSON.stringify({ ...config, dtype: kept }, null, 2)}\n`,
      'model.safetensors': serializeSafetensors(tensors, { format: 'pt' }),
      ...base.tokenizer.save(),
    };
    if (dtype !== '4bit') return { files, comparison };
    const { quantType = 'nf4', blocksize, doubleQuant } = classifier.quantization ?? {};
    const quantised = await quantizeCheckpoint(memoryFiles('the merged model', files), {
      quantType,
      blocksize,
      doubleQuant,
    });
    return { files: { ...base.tokenizer.save(), ...quantised }, comparison };
  } finally {
    model.dispose();
  }
}

/**
 * The weights [outFeatures, inFeatures] before quantisation, by their layers' names.
 * @throws FinetuneError BAD_ARGUMENT where the base has none
 */
async function originalWeights(files: ModelFiles, model: ClassifierModel): Promise<OriginalWeights> {
  const checkpoint = await openCheckpoint(files);
  const names = new Set(checkpoint.names());
  return async (path) => {
    // A backbone's own file has no prefix before its layers.
    const name = [path, path.slice(path.indexOf('.') + 1)]
      .map((known) => `${known}.weight`)
      .find((it) => names.has(it));
    const stored = name === undefined ? undefined : await checkpoint.read(name);
    if (stored === undefined || stored.shape.length !== 2 || !/^B?F(16|32)$/.test(stored.dtype)) {
      throw new FinetuneError('BAD_ARGUMENT', `${files.id} holds no weights of ${path} from before quantisation`, {
        value: path,
        remedy: 'merge from what the 4-bit weights decode to',
      });
    }
    const values = toFloat32(stored);
    const [rows, columns] = stored.shape as [number, number];
    return (model.module(path) as LinearLayer).storedLayout === 'in-out' ? transposed(values, rows, columns) : values;
  };
}

async function compared(
  parts: TextClassifierParts,
  { texts, labels }: ComparedRows,
  base: MergeOptions['base'],
): Promise<MergeComparisonRow[]> {
  const { maxLength } = parts.saved.get('default')!;
  const { inputIds } = parts.base.tokenizer.batch(texts, { truncation: true, maxLength });
  const batches = batchesByLength(inputIds);
  const order = batches.flat();
  const logits = (): Tensor2D =>
    tidy(() => concat(batches.map((rows) => batchLogits(parts, rows.map((row) => inputIds[row]!))), 0)); // prettier-ignore
  return compareMerges(parts.model, {
    logits,
    base,
    ...(labels === undefined ? {} : { labels: order.map((row) => labels[row]!) }),
  });
}

const ENCODINGS = {
  float32: { dtype: 'F32', encode: (values: Float32Array) => new Uint8Array(values.slice().buffer) },
  float16: { dtype: 'F16', encode: (values: Float32Array) => float16Bytes(values) },
  bfloat16: { dtype: 'BF16', encode: (values: Float32Array) => new Uint8Array(float32ToBfloat16(values).buffer) },
} as const;

/** Every weight under its name in transformers, in transformers' layout. */
async function denseTensors(
  model: TextClassifierParts['model']['base'],
  type: keyof typeof ENCODINGS,
): Promise<StoredTensor[]> {
  const { dtype, encode } = ENCODINGS[type];
  const stored: StoredTensor[] = [];
  const store = async (name: string, tensor: Tensor): Promise<void> => {
    if (tensor.dtype !== 'float32') {
      throw new FinetuneError('BAD_ARGUMENT', `${name} is kept as ${tensor.dtype} on this device`, {
        remedy: 'merge on the backend wasm or cpu',
      });
    }
    stored.push({ name, dtype, shape: tensor.shape, bytes: encode((await tensor.data()) as Float32Array) });
  };
  const linear = new Set<string>();
  for (const [path, module] of model.namedModules()) {
    if (!(module instanceof LinearLayer)) continue;
    linear.add(`${path}.weight`);
    const weight = tidy(() => {
      const dense = module.denseWeight();
      return module.storedLayout === 'in-out' ? transpose(dense) : dense;
    });
    await store(`${path}.weight`, weight);
    weight.dispose();
  }
  for (const [name, parameter] of model.namedParameters()) {
    if (!linear.has(name)) await store(name, parameter.value);
  }
  return stored;
}

function float16Bytes(values: Float32Array): Uint8Array {
  const largest = values.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  if (largest > 65504)
    throw new FinetuneError('BAD_ARGUMENT', `a merged weight is ${largest}, more than float16 holds`, {
      value: largest,
      remedy: 'store bfloat16 or float32',
    });
  return new Uint8Array(float32ToFloat16(values).buffer);
}
