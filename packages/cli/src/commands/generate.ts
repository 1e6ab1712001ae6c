import { readFileSync } from 'node:fs';
import type { GenerateTextOptions, Output, TextGenerator } from '@qlora-js/finetune';
import { loadTextGenerator } from '@qlora-js/finetune/node';
import { UsageError } from '../errors';
import type { GenerateValues, WritingValues } from '../options/generate-options';
import { hubOptions } from './train';

/** Opens a language model by a command's options. @throws UsageError where none is named */
export function openGenerator(values: WritingValues, output: Output): Promise<TextGenerator> {
  const { adapter, base, quantType, backend } = values;
  if (adapter === undefined && base === undefined)
    throw new UsageError('USAGE', '--adapter or --base is missing: the model to write with');
  return loadTextGenerator({
    ...{ adapter, base, backend, output, hub: hubOptions(values) },
    ...(quantType === undefined
      ? {}
      : { quantization: quantType === 'none' ? null : { quantType, blocksize: 64, doubleQuant: true } }),
  });
}

/** How tokens are chosen, out of a command's options. @throws UsageError */
export function writingOptions(values: WritingValues): GenerateTextOptions {
  const { maxNewTokens, temperature, topK, topP, repetitionPenalty, seed, stop } = values;
  if (topP === 0 || topP > 1)
    throw new UsageError('USAGE', `--top-p is ${topP}, but a number above 0, up to 1, is needed`);
  if (repetitionPenalty === 0) throw new UsageError('USAGE', '--repetition-penalty is 0, but more is needed');
  return {
    ...{ maxNewTokens, repetitionPenalty, stop },
    ...(temperature === 0 ? {} : { doSample: true, temperature, topK, topP, seed }),
  };
}

/** Goes on with prompts, and prints what comes as it comes. */
export async function generate(words: readonly string[], values: GenerateValues, output: Output): Promise<void> {
  const options = writingOptions(values);
  const prompts = words.length > 0 ? words : [standardInput()];
  const generator = await openGenerator(values, output);
  try {
    for (const prompt of prompts) {
      const onText = values.json ? undefined : (piece: string): void => void process.stdout.write(piece);
      const { text, finishReason, tokens, promptTokens } = await generator.generate(prompt, { ...options, onText });
      if (!values.json) process.stdout.write('\n');
      else console.log(JSON.stringify({ prompt, text, finishReason, promptTokens, newTokens: tokens.length }));
    }
  } finally {
    generator.dispose();
  }
}

function standardInput(): string {
  const text = readFileSync(0, 'utf8').replace(/\r?\n$/, '');
  if (text !== '') return text;
  throw new UsageError('USAGE', 'generate: there is no prompt; give it as an argument or on standard input');
}
