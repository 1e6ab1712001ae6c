/**
 * Compares this tokenizer with the installed transformers, on random texts and on the files each writes for the other:
 *
 *   npx tsx --conditions=@qlora-js/source tools/verify/python/check-tokenizer.ts PYTHON BASE_FOLDER [TEXTS] [SEED]
 *
 * PYTHON has transformers; BASE_FOLDER holds vocab.json, merges.txt and tokenizer_config.json.
 */
import { deepStrictEqual } from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import {
  type BatchOptions,
  type FolderFiles,
  GPT2Tokenizer,
  type Side,
} from '../../../packages/tokenize-gpt2/src/index';
import { randomTexts } from '../../../packages/tokenize-gpt2/src/testing/random-text';

interface Answer {
  inputIds: number[][];
  attentionMask: number[][];
  tokens: string[][];
  decoded: string[];
  withoutSpecial: string[];
}

interface Answers {
  answers: Answer[];
  class: string;
  length: number;
  padTokenId: number | null;
  modelMaxLength: number;
  added: Record<string, string>;
}

type CaseOptions = BatchOptions & { truncationSide?: Side };

const optionSets: CaseOptions[] = [
  {},
  { padding: true },
  { padding: 'longest', padToMultipleOf: 8, paddingSide: 'left' },
  { padding: 'max_length', truncation: true, maxLength: 12 },
  { padding: 'max_length', maxLength: 9 },
  { padding: 'max_length', maxLength: 9, padToMultipleOf: 4 },
  { padding: true, truncation: true, maxLength: 16, padToMultipleOf: 8, paddingSide: 'left', truncationSide: 'left' },
  { truncation: true, maxLength: 5, truncationSide: 'left' },
  { truncation: true },
  { maxLength: 3 },
];

function folder(path: string): FolderFiles {
  return {
    has: async (name) => existsSync(join(path, name)),
    text: (name) => readFile(join(path, name), 'utf8'),
  };
}

function snakeCase(options: CaseOptions): Record<string, unknown> {
  const rename = (key: string): string => key.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
  return Object.fromEntries(Object.entries(options).map(([key, value]) => [rename(key), value]));
}

function ask(python: string, path: string, texts: string[], resave?: string): Answers {
  const script = fileURLToPath(new URL('tokenize_texts.py', import.meta.url));
  const cases = optionSets.map((options) => ({ texts, options: snakeCase(options) }));
  const input = JSON.stringify({ folder: path, cases, resave });
  return JSON.parse(execFileSync(python, [script], { input, encoding: 'utf8', maxBuffer: 1 << 30 })) as Answers;
}

let compared = 0;

function compare(name: string, ours: GPT2Tokenizer, theirs: Answers, texts: string[]): void {
  deepStrictEqual(ours.length, theirs.length);
  deepStrictEqual(ours.padTokenId ?? null, theirs.padTokenId);
  deepStrictEqual(ours.modelMaxLength, theirs.modelMaxLength > 1e20 ? Infinity : theirs.modelMaxLength);
  optionSets.forEach((options, index) => {
    const answer = theirs.answers[index]!;
    ours.truncationSide = options.truncationSide ?? 'right';
    const batch = ours.batch(texts, options);
    batch.inputIds.forEach((ids, row) => {
      const place = `${name} ${JSON.stringify(options)} ${JSON.stringify(texts[row])}`;
      deepStrictEqual(ids, answer.inputIds[row], place);
      deepStrictEqual(batch.attentionMask[row], answer.attentionMask[row], place);
      deepStrictEqual(ours.convertIdsToTokens(ids), answer.tokens[row], place);
      deepStrictEqual(ours.decode(ids), answer.decoded[row], place);
      deepStrictEqual(ours.decode(ids, { skipSpecialTokens: true }), answer.withoutSpecial[row], place);
    });
  });
  compared++;
  console.log(`${name}: ${texts.length} texts x ${optionSets.length} sets of options equal (${theirs.class})`);
}

async function write(path: string, files: Record<string, string>): Promise<void> {
  await mkdir(path);
  for (const [name, text] of Object.entries(files)) await writeFile(join(path, name), text);
}

const [python, base, count = '2000', seed = '1'] = process.argv.slice(2);
if (python === undefined || base === undefined) throw new Error('Give the Python to ask and the folder of a base');
const work = await mkdtemp(join(tmpdir(), 'tokenizer-'));
const onWarning = (): void => undefined;
try {
  const markers = ['<|endoftext|>', '<x>', ' wor ', 'tag', 'tagger', '[PAD]', ' <x> '];
  const texts = randomTexts({ count: Number(count), seed: Number(seed), markers });

  const padded = await GPT2Tokenizer.load(folder(base), { onWarning });
  padded.padToken = padded.eosToken;
  await write(join(work, 'padded'), padded.save());
  const resaved = join(work, 'resaved');
  compare('as is, pad = eos', padded, ask(python, join(work, 'padded'), texts, resaved), texts);
  compare(
    "transformers' own files",
    await GPT2Tokenizer.load(folder(resaved), { onWarning }),
    ask(python, resaved, texts),
    texts,
  );

  const config = JSON.parse(padded.save()['tokenizer_config.json']!) as Record<string, unknown>;
  const added = GPT2Tokenizer.fromFiles(
    {
      vocab: await readFile(join(base, 'vocab.json'), 'utf8'),
      merges: await readFile(join(base, 'merges.txt'), 'utf8'),
      tokenizerConfig: { ...config, add_prefix_space: true, add_bos_token: true, model_max_length: 1e30 },
    },
    { onWarning },
  );
  added.modelMaxLength = 64;
  added.addSpecialTokens({ padToken: '[PAD]', extraSpecialTokens: ['<s1>'] });
  added.addTokens([
    'tag',
    'tagger',
    { content: '<x>', lstrip: true, rstrip: true },
    { content: 'wor', singleWord: true },
  ]);
  added.addTokens([{ content: 'a b', normalized: false }, 'é']);
  await write(join(work, 'added'), added.save());
  const addedAgain = join(work, 'added-again');
  compare('added tokens, prefix space, bos', added, ask(python, join(work, 'added'), texts, addedAgain), texts);
  const reread = await GPT2Tokenizer.load(folder(join(work, 'added')), { onWarning });
  deepStrictEqual(reread.save(), added.save());
  compare('the same read again', reread, ask(python, join(work, 'added'), texts), texts);
  compare(
    "transformers' files of it",
    await GPT2Tokenizer.load(folder(addedAgain), { onWarning }),
    ask(python, addedAgain, texts),
    texts,
  );
  // Anything unequal has thrown.
  console.log(`${compared} passed, 0 failed`);
} finally {
  await rm(work, { recursive: true, force: true });
}
