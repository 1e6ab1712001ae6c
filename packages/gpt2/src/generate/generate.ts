import { tensor1d, tidy, type Tensor2D } from '@tensorflow/tfjs-core';
import { gatherRows, INFERENCE, uniformValues } from '@qlora-js/kernels';
import { slices, type PaddedBatch } from '../batch/padded-batch';
import { packSequences } from '../batch/token-batch';
import { Gpt2Error } from '../errors';
import { attendWithin } from '../model/attend';
import type { Decoder } from '../model/decoder';
import { KeyValueCache } from '../model/key-value-cache';
import { checkGenerateOptions, type CheckedGenerateOptions, type GenerateOptions } from './options';
import { drawToken, likeliestToken, penaliseRepetition } from './pick-token';

export type { GeneratedToken, GenerateOptions } from './options';

/** Token ids of each prompt, or a batch padded on either side, whose padding is left out. */
export type Prompts = readonly ArrayLike<number>[] | PaddedBatch;

/** Why a text ended. */
export type FinishReason = 'eos' | 'stopped' | 'length';

export interface Generation {
  /** Generated tokens of each prompt, without the prompt and without what comes after eos; eos included. */
  readonly tokens: readonly (readonly number[])[];
  /** Whether a text ended by itself, was stopped, or cut. */
  readonly finishReasons: readonly FinishReason[];
}

/** What generating needs of a language model. */
export interface LanguageModel {
  readonly transformer: Decoder;
  /** Logits [rows, vocabSize] of hidden states [rows, width]. */
  score(hidden: Tensor2D, context: typeof INFERENCE): Tensor2D;
}

/**
 * Continues prompts token by token. Positions count from each prompt's first token, as transformers' generate has
 * them under left padding, so a prompt gives the same text alone and in any batch.
 *
 * @throws Gpt2Error BAD_ARGUMENT for options and prompts that do not fit, NON_FINITE for logits that are no numbers
 */
export async function generate(model: LanguageModel, prompts: Prompts, options: GenerateOptions): Promise<Generation> {
  const checked = checkGenerateOptions(options, model.transformer.endTokenIds);
  const texts = promptTexts(prompts).map((ids, sequence) => new Text(sequence, ids, checked));
  if (texts.length === 0) throw new Gpt2Error('BAD_ARGUMENT', 'generate: there are no prompts');
  const longest = Math.max(...texts.map(({ ids }) => ids.length));
  const { nPositions, vocabSize } = model.transformer.config;
  if (longest + checked.maxNewTokens > nPositions) {
    throw new Gpt2Error(
      'BAD_ARGUMENT',
      `generate: a prompt of ${longest} tokens and ${checked.maxNewTokens} new ones do not fit the model's ${nPositions} positions: cut the prompt or lower maxNewTokens`,
    );
  }
  const decoder = checked.useCache ? new CachedDecoder(model, texts) : new PlainDecoder(model, texts);
  try {
    for (let step = 0; step < checked.maxNewTokens && texts.some((text) => text.finished === undefined); step++) {
      const logits = step === 0 ? decoder.first() : decoder.next();
      const values = (await logits.data()) as Float32Array;
      logits.dispose();
      for (const [i, text] of texts.entries()) {
        await text.extend(values.slice(i * vocabSize, (i + 1) * vocabSize), step);
      }
    }
  } finally {
    decoder.dispose();
  }
  return {
    tokens: texts.map(({ generated }) => generated),
    finishReasons: texts.map(({ finished }) => finished ?? 'length'),
  };
}

function promptTexts(prompts: Prompts): number[][] {
  if (!('inputIds' in prompts)) return prompts.map((prompt) => Array.from(prompt));
  const masks = slices(prompts.attentionMask, prompts);
  return slices(prompts.inputIds, prompts).map((ids, row) => ids.filter((_, column) => masks[row]![column] !== 0));
}

/** One prompt and what was generated for it. */
class Text {
  /** Prompt and generated tokens; after eos, eos again, so that the batch goes on in step. */
  readonly ids: number[];
  readonly generated: number[] = [];
  finished: FinishReason | undefined;
  private readonly uniforms: Float32Array;

  constructor(
    private readonly sequence: number,
    prompt: readonly number[],
    private readonly options: CheckedGenerateOptions,
  ) {
    this.ids = [...prompt];
    this.uniforms = options.doSample
      ? uniformValues(options.maxNewTokens, { seed: options.seed, stream: sequence })
      : new Float32Array(0);
  }

  async extend(logits: Float32Array, step: number): Promise<void> {
    if (this.finished !== undefined) {
      this.ids.push(this.ids.at(-1)!);
      return;
    }
    const { doSample, repetitionPenalty, eosTokenIds, onToken, stoppingCriteria } = this.options;
    penaliseRepetition(logits, this.ids, repetitionPenalty);
    const id = doSample ? drawToken(logits, this.uniforms[step]!, this.options) : likeliestToken(logits);
    this.ids.push(id);
    this.generated.push(id);
    const token = { sequence: this.sequence, index: step, id };
    await onToken(token);
    if (eosTokenIds.has(id)) this.finished = 'eos';
    else if (stoppingCriteria(token)) this.finished = 'stopped';
  }
}

/** Gives the logits [texts, vocabSize] of the token after each text. */
interface NextLogits {
  first(): Tensor2D;
  next(): Tensor2D;
  dispose(): void;
}

class PlainDecoder implements NextLogits {
  constructor(
    private readonly model: LanguageModel,
    private readonly texts: readonly Text[],
  ) {}

  first(): Tensor2D {
    const { model } = this;
    const batch = packSequences(
      this.texts.map(({ ids }) => ids),
      model.transformer.config,
    );
    const logits = tidy(() => {
      const hidden = model.transformer.forwardRows(batch, { attend: attendWithin(batch.sequences) }, INFERENCE);
      return model.score(gatherRows(hidden, batch.pooledRows), INFERENCE);
    });
    batch.dispose();
    return logits;
  }

  next(): Tensor2D {
    return this.first();
  }

  dispose(): void {}
}

class CachedDecoder implements NextLogits {
  private readonly cache: KeyValueCache;

  constructor(
    private readonly model: LanguageModel,
    private readonly texts: readonly Text[],
  ) {
    this.cache = new KeyValueCache(texts.map(({ ids }) => ids.length));
  }

  first(): Tensor2D {
    const { model } = this;
    const batch = packSequences(
      this.texts.map(({ ids }) => ids),
      model.transformer.config,
    );
    const logits = this.cache.readPrompts(batch, (attend) => {
      const hidden = model.transformer.forwardRows(batch, { attend }, INFERENCE);
      return model.score(gatherRows(hidden, batch.pooledRows), INFERENCE);
    });
    batch.dispose();
    return logits;
  }

  next(): Tensor2D {
    const { model } = this;
    return this.cache.readNext((attend) => {
      const ids = tensor1d(
        this.texts.map((text) => text.ids.at(-1)!),
        'int32',
      );
      const positions = tensor1d(
        this.texts.map((text) => text.ids.length - 1),
        'int32',
      );
      return model.score(model.transformer.forwardRows({ ids, positions }, { attend }, INFERENCE), INFERENCE);
    });
  }

  dispose(): void {
    this.cache.dispose();
  }
}
