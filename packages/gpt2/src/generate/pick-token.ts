import { Gpt2Error } from '../errors';
import type { CheckedGenerateOptions } from './options';

/** Divides the logits of tokens that are there by the penalty, negative ones times it, in place. */
export function penaliseRepetition(logits: Float32Array, tokens: Iterable<number>, penalty: number): void {
  if (penalty === 1) return;
  for (const id of new Set(tokens)) logits[id] = logits[id]! < 0 ? logits[id]! * penalty : logits[id]! / penalty;
}

/** The likeliest token; the lowest id of several. */
export function likeliestToken(logits: Float32Array): number {
  let best = 0;
  for (let id = 0; id < logits.length; id++) {
    const logit = logits[id]!;
    if (Number.isNaN(logit)) throw nonFinite(logit);
    if (logit > logits[best]!) best = id;
  }
  if (!Number.isFinite(logits[best]!)) throw nonFinite(logits[best]!);
  return best;
}

/**
 * Draws a token: temperature, then top-k (Fan et al. 2018), then top-p (Holtzman et al. 2020), in transformers' order
 * (generation/logits_process.py). Tokens as likely as the k-th are kept too, as there.
 *
 * @param uniform in [0, 1); picks a place in the cumulative probabilities, likeliest tokens first
 */
export function drawToken(
  logits: Float32Array,
  uniform: number,
  { temperature, topK, topP }: Pick<CheckedGenerateOptions, 'temperature' | 'topK' | 'topP'>,
): number {
  const largest = logits[likeliestToken(logits)]!;
  const ids = candidates(logits, topK).sort((a, b) => logits[b]! - logits[a]! || a - b);
  const weights = ids.map((id) => Math.exp((logits[id]! - largest) / temperature));
  const total = sum(weights);
  let kept = 0;
  let before = 0;
  while (kept < ids.length && before < topP * total) before += weights[kept++]!;
  // `before` is now the weight of the kept tokens.
  let rest = uniform * before;
  for (let i = 0; i < kept; i++) {
    rest -= weights[i]!;
    if (rest < 0) return ids[i]!;
  }
  return ids[kept - 1]!;
}

function candidates(logits: Float32Array, topK: number): number[] {
  const ids: number[] = [];
  const least = topK === 0 || topK >= logits.length ? -Infinity : logits.slice().sort()[logits.length - topK]!;
  for (let id = 0; id < logits.length; id++) if (logits[id]! >= least && logits[id]! > -Infinity) ids.push(id);
  return ids;
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

function nonFinite(value: number): Gpt2Error {
  return new Gpt2Error(
    'NON_FINITE',
    `generate: the model's logits hold ${value}: a weight or an adapter is broken, or training diverged`,
  );
}
