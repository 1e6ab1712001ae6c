import { Gpt2Error } from '../errors';

/** A token as it is generated. */
export interface GeneratedToken {
  /** Index of the prompt it continues. */
  readonly sequence: number;
  /** How many tokens were generated for that prompt before. */
  readonly index: number;
  readonly id: number;
}

/** Names and defaults are those of transformers' GenerationConfig. */
export interface GenerateOptions {
  /** Tokens to add at most; 20 by default. */
  readonly maxNewTokens?: number;
  /** Draws tokens at random; otherwise the likeliest is taken (default). */
  readonly doSample?: boolean;
  /** Divides the logits before drawing; 1 by default. */
  readonly temperature?: number;
  /** Draws among so many of the likeliest tokens; 50 by default, 0 for all. */
  readonly topK?: number;
  /** Draws among the likeliest tokens that together reach this probability; 1 (all) by default. */
  readonly topP?: number;
  /** Above 1 makes tokens that are there already less likely (Keskar et al. 2019, section 4.1); 1 by default. */
  readonly repetitionPenalty?: number;
  /** Tokens that end a text; config's eos_token_id by default, null for none. */
  readonly eosTokenId?: number | readonly number[] | null;
  /** Of the draws; 0 by default. A prompt's draws depend on its place in the batch, not on the others. */
  readonly seed?: number;
  /** Keeps keys and values of earlier tokens (default); false computes every text anew for each token. */
  readonly useCache?: boolean;
  /** Called with each token as it is there, eos included; the next one waits for what it returns. */
  readonly onToken?: (token: GeneratedToken) => void | Promise<void>;
  /** Asked after each token: true ends its text there. transformers' name. */
  readonly stoppingCriteria?: (token: GeneratedToken) => boolean;
}

/** Options with nothing left open. */
export interface CheckedGenerateOptions {
  readonly maxNewTokens: number;
  readonly doSample: boolean;
  readonly temperature: number;
  readonly topK: number;
  readonly topP: number;
  readonly repetitionPenalty: number;
  readonly eosTokenIds: ReadonlySet<number>;
  readonly seed: number;
  readonly useCache: boolean;
  readonly onToken: (token: GeneratedToken) => void | Promise<void>;
  readonly stoppingCriteria: (token: GeneratedToken) => boolean;
}

const SAMPLING_ONLY = ['temperature', 'topK', 'topP', 'seed'] as const;

/** @throws Gpt2Error BAD_ARGUMENT naming the option */
export function checkGenerateOptions(options: GenerateOptions, configEos: readonly number[]): CheckedGenerateOptions {
  const {
    maxNewTokens = 20,
    doSample = false,
    temperature = 1,
    topK = 50,
    topP = 1,
    repetitionPenalty = 1,
    eosTokenId = configEos,
    seed = 0,
    useCache = true,
    onToken = () => undefined,
    stoppingCriteria = () => false,
  } = options;
  const need = (fits: boolean, option: keyof GenerateOptions, wanted: string): void => {
    if (fits) return;
    throw new Gpt2Error('BAD_ARGUMENT', `generate: ${option} is ${String(options[option])}, but ${wanted} is needed`);
  };
  need(Number.isInteger(maxNewTokens) && maxNewTokens >= 1, 'maxNewTokens', 'a positive integer');
  need(temperature > 0 && temperature < Infinity, 'temperature', 'a positive number (for greedy: doSample: false)');
  need(Number.isInteger(topK) && topK >= 0, 'topK', 'a count, or 0 for all tokens');
  need(topP > 0 && topP <= 1, 'topP', 'a number in (0, 1]');
  need(repetitionPenalty > 0 && repetitionPenalty < Infinity, 'repetitionPenalty', 'a positive number');
  need(Number.isSafeInteger(seed) && seed >= 0, 'seed', 'an integer from 0 on');
  const ignored = doSample ? undefined : SAMPLING_ONLY.find((option) => options[option] !== undefined);
  if (ignored !== undefined) {
    throw new Gpt2Error(
      'BAD_ARGUMENT',
      `generate: ${ignored} only matters to draws; set doSample: true or leave it out`,
    );
  }
  const eosTokenIds = new Set(eosTokenId === null ? [] : typeof eosTokenId === 'number' ? [eosTokenId] : eosTokenId);
  for (const id of eosTokenIds) need(Number.isInteger(id) && id >= 0, 'eosTokenId', 'a token id');
  return {
    ...{ maxNewTokens, doSample, temperature, topK, topP, repetitionPenalty, eosTokenIds, seed, useCache },
    ...{ onToken, stoppingCriteria },
  };
}
