/**
 * Encodes the same texts with this package and with @huggingface/tokenizers, in one process and in alternating order, and
 * checks that the ids are equal. Writes bench/results.json and, from it, the README's table.
 *
 *   QLORA_BANKING77=FOLDER npx tsx --conditions=@qlora-js/source src/tokenizer.bench.ts [ROUNDS]
 */
import { Tokenizer as PeerTokenizer } from '@huggingface/tokenizers';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { arch, cpus, platform } from 'node:os';
import { banking77Folder } from '../../../tools/test/real-data';
import { GPT2Tokenizer } from './index';

const BASE = new URL('../../base-mini/weights/', import.meta.url);
const rounds = Number(process.argv[2] ?? 15);
const banking = banking77Folder();

const vocab = readFileSync(new URL('vocab.json', BASE), 'utf8');
const merges = readFileSync(new URL('merges.txt', BASE), 'utf8');

function loadOurs(): GPT2Tokenizer {
  return GPT2Tokenizer.fromFiles({ vocab, merges });
}

/** tokenizer.json's content, made of the same two files. */
function loadPeer(): PeerTokenizer {
  const lines = merges.split('\n').filter((line) => line !== '' && !line.startsWith('#version'));
  const endOfText = { id: 50256, content: '<|endoftext|>', special: true, normalized: false };
  const flags = { single_word: false, lstrip: false, rstrip: false };
  const byteLevel = { type: 'ByteLevel', add_prefix_space: false, trim_offsets: true, use_regex: true };
  return new PeerTokenizer(
    {
      version: '1.0',
      added_tokens: [{ ...endOfText, ...flags }],
      normalizer: null,
      pre_tokenizer: byteLevel,
      post_processor: null,
      decoder: byteLevel,
      model: {
        type: 'BPE',
        vocab: JSON.parse(vocab) as unknown,
        merges: lines.map((line) => line.split(' ')),
        unk_token: null,
        continuing_subword_prefix: '',
        end_of_word_suffix: '',
        fuse_unk: false,
        byte_fallback: false,
        ignore_merges: false,
      },
    },
    { tokenizer_class: 'GPT2Tokenizer' },
  );
}

/** The text column of a two-column CSV file with quotes where a text has commas. */
function csvTexts(path: string): string[] {
  const rows = readFileSync(path, 'utf8').matchAll(/^(?:"((?:[^"]|"")*)"|([^,\n]*)),[^,\n]*$/gm);
  return [...rows].slice(1).map(([, quoted, plain]) => quoted?.replaceAll('""', '"') ?? plain!);
}

const texts = csvTexts(`${banking}/train.csv`);
if (texts.length !== 10_003) throw new Error(`${texts.length} texts read from train.csv, not 10,003`);

interface Corpus {
  name: string;
  texts: string[];
}

const corpora: Corpus[] = [
  { name: 'Banking77, 10,003 short texts', texts },
  { name: `the same as one text of ${Math.round(texts.join('\n').length / 1000)} kB`, texts: [texts.join('\n')] },
  { name: 'one word of 6,000 letters', texts: ['antidisestablishmentarianism'.repeat(220).slice(0, 6000)] },
  { name: 'one run of 6,000 Chinese characters', texts: [readChinese(6000)] },
];

/** Ideographs in an order that repeats late. */
function readChinese(count: number): string {
  return Array.from({ length: count }, (_, index) => String.fromCodePoint(0x4e00 + ((index * index * 7) % 5000))).join(
    '',
  );
}

type Work = () => number;

function timed(work: Work): number {
  const start = performance.now();
  const tokens = work();
  const elapsed = performance.now() - start;
  if (tokens <= 0) throw new Error('nothing was encoded');
  return elapsed;
}

function median(values: number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

const rounded = (value: number): number => Number(value.toPrecision(4));

/** Both works in each round, the order swapped every time; the ratio is taken within a round. */
function compare(prepare: () => { ours: Work; peer: Work }): Omit<Result, 'what' | 'cache'> {
  const ours: number[] = [];
  const peer: number[] = [];
  for (let round = 0; round < rounds; round++) {
    const work = prepare();
    const order = round % 2 === 0 ? (['ours', 'peer'] as const) : (['peer', 'ours'] as const);
    for (const side of order) (side === 'ours' ? ours : peer).push(timed(work[side]));
  }
  const ratios = peer.map((elapsed, round) => elapsed / ours[round]!);
  return {
    oursMs: rounded(median(ours)),
    peerMs: rounded(median(peer)),
    ratio: rounded(median(ratios)),
    lowestRatio: rounded(Math.min(...ratios)),
    highestRatio: rounded(Math.max(...ratios)),
  };
}

function encodeAll(tokenizer: { encode(text: string): number[] | { ids: number[] } }, all: string[]): Work {
  return () => {
    let tokens = 0;
    for (const text of all) {
      const encoded = tokenizer.encode(text);
      tokens += Array.isArray(encoded) ? encoded.length : encoded.ids.length;
    }
    return tokens;
  };
}

/** What the peer's encode always makes: ids, tokens and mask. */
function encodeWithTokens(tokenizer: GPT2Tokenizer, all: string[]): Work {
  return () => {
    let tokens = 0;
    for (const text of all) {
      const { inputIds, attentionMask } = tokenizer.batch(text);
      tokens += tokenizer.convertIdsToTokens(inputIds[0]!).length + attentionMask[0]!.length;
    }
    return tokens;
  };
}

interface Result {
  what: string;
  cache: 'cold' | 'warm' | 'none';
  oursMs: number;
  peerMs: number;
  ratio: number;
  lowestRatio: number;
  highestRatio: number;
}

const results: Result[] = [];

function report(what: string, cache: Result['cache'], figures: Omit<Result, 'what' | 'cache'>): void {
  results.push({ what, cache, ...figures });
  const { oursMs, peerMs, ratio, lowestRatio, highestRatio } = figures;
  console.log(
    `${what} (${cache}): ${oursMs} ms, peer ${peerMs} ms, ${ratio} times (${lowestRatio} to ${highestRatio})`,
  );
}

/** The figures as the README shows them, columns aligned as prettier wants them. */
function readmeTable(): string {
  const rows = [
    ['what', 'cache', 'this package', '@huggingface/tokenizers', 'times faster', 'lowest, highest'],
    ...results.map(({ what, cache, oursMs, peerMs, ratio, lowestRatio, highestRatio }) => {
      return [what, cache, `${oursMs} ms`, `${peerMs} ms`, `${ratio}`, `${lowestRatio}, ${highestRatio}`];
    }),
  ];
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
  const line = (cells: string[]): string => `| ${cells.join(' | ')} |`;
  const [head, ...body] = rows.map((row) => line(row.map((cell, column) => cell.padEnd(widths[column]!))));
  return [head, line(widths.map((width) => '-'.repeat(width))), ...body].join('\n');
}

const machine = {
  cpu: cpus()[0]?.model,
  cores: cpus().length,
  platform: `${platform()} ${arch()}`,
  node: process.version,
};
console.log(machine);

const warmOurs = loadOurs();
const warmPeer = loadPeer();
for (const corpus of corpora) {
  let tokens = 0;
  for (const text of corpus.texts) {
    const ids = warmOurs.encode(text);
    tokens += ids.length;
    if (ids.join() !== warmPeer.encode(text).ids.join()) throw new Error(`ids differ: ${text.slice(0, 200)}`);
  }
  const what = `ids of ${corpus.name}, ${tokens} tokens`;
  report(
    what,
    'cold',
    compare(() => ({ ours: encodeAll(loadOurs(), corpus.texts), peer: encodeAll(loadPeer(), corpus.texts) })),
  );
  report(
    what,
    'warm',
    compare(() => ({ ours: encodeAll(warmOurs, corpus.texts), peer: encodeAll(warmPeer, corpus.texts) })),
  );
}
report(
  'ids, tokens and mask of Banking77',
  'warm',
  compare(() => ({ ours: encodeWithTokens(warmOurs, texts), peer: encodeAll(warmPeer, texts) })),
);
report(
  'loading from the text of vocab.json and merges.txt',
  'none',
  compare(() => ({ ours: () => loadOurs().length, peer: () => loadPeer().get_vocab().size })),
);

const workspace = JSON.parse(readFileSync(new URL('../../../package.json', import.meta.url), 'utf8')) as {
  devDependencies: Record<string, string>;
};
const version = workspace.devDependencies['@huggingface/tokenizers'];
const folder = new URL('../bench/', import.meta.url);
mkdirSync(folder, { recursive: true });
writeFileSync(
  new URL('results.json', folder),
  `${JSON.stringify({ machine, peer: `@huggingface/tokenizers ${version}`, rounds, results }, null, 2)}\n`,
);

const readme = new URL('../README.md', import.meta.url);
const machineLine = `${machine.cpu}, ${machine.cores} cores, Node ${machine.node}, medians of ${rounds} rounds:`;
writeFileSync(
  readme,
  readFileSync(readme, 'utf8').replace(
    /(<!-- bench -->\n)[\s\S]*(\n<!-- \/bench -->)/,
    (_, start: string, end: string) => `${start}\n${machineLine}\n\n${readmeTable()}\n${end}`,
  ),
);
