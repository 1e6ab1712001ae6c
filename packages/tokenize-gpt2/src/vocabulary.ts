import { parseJson, type ReadBudget } from '@qlora-js/read-budget';
import { byteAlphabet } from './byte-alphabet';
import { quote, readBudget, TokenizerError } from './errors';
import { MergeTable } from './merge-table';

/** More tokens than any byte-level vocabulary has; a file that claims more is damaged or hostile. */
const mostTokens = 1 << 22;

/** What vocab.json and merges.txt say, checked against each other. */
export interface Vocabulary {
  /** Token of each id, ids 0 to length - 1 without a hole. */
  readonly tokens: readonly string[];
  readonly idOfToken: ReadonlyMap<string, number>;
  /** Id of each of the 256 single bytes. */
  readonly idOfByte: Int32Array;
  /** Merges as merges.txt writes them, "left right", by rank. */
  readonly merges: readonly string[];
  readonly mergeTable: MergeTable;
}

/** In `idOfByte`: a byte that has no token. */
export const NO_TOKEN = -1;

export interface VocabularySource {
  /** Text of vocab.json, or what it parses to: id by token. */
  vocab: unknown;
  /** Text of merges.txt, or its pairs ("left right", or [left, right] as newer tokenizer.json files have them). */
  merges: unknown;
  /** Names for error messages. */
  vocabName?: string;
  mergesName?: string;
  /** Whether bytes may have no token, as in SmolLM's vocabulary: tokenizers leaves them out of a text. */
  lacksBytes?: boolean;
}

/** Reads and checks a vocabulary. @throws TokenizerError INVALID_VOCABULARY, INVALID_MERGES */
export function readVocabulary(source: VocabularySource, budget: ReadBudget = readBudget()): Vocabulary {
  const vocabName = source.vocabName ?? 'vocab.json';
  const mergesName = source.mergesName ?? 'merges.txt';
  const { tokens, idOfToken } = readTokens(source.vocab, vocabName, budget);
  const idOfByte = Int32Array.from(byteAlphabet, (character, byte) => {
    const id = idOfToken.get(character);
    if (id === undefined) {
      if (source.lacksBytes === true) return NO_TOKEN;
      throw new TokenizerError(
        'INVALID_VOCABULARY',
        `${vocabName} has no token for byte 0x${byte.toString(16).padStart(2, '0')}, spelled ${quote(character)}: ` +
          'a byte-level vocabulary has all 256. Is this the vocabulary of another kind of tokenizer?',
        { value: character },
      );
    }
    return id;
  });
  const merges = readMerges(source.merges, mergesName, budget);
  return { tokens, idOfToken, idOfByte, merges, mergeTable: buildMergeTable(merges, idOfToken, vocabName, mergesName) };
}

function readTokens(
  source: unknown,
  name: string,
  budget: ReadBudget,
): { tokens: string[]; idOfToken: Map<string, number> } {
  const fail = (problem: string, value?: unknown): never => {
    throw new TokenizerError('INVALID_VOCABULARY', `${name} ${problem}`, { value });
  };
  const parsed = typeof source === 'string' ? parseJson(source, budget.document(name, source.length)) : source;
  if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed)) {
    return fail(`must be an object of ids by token, not ${quote(parsed)}`, parsed);
  }
  const ids = parsed as Record<string, unknown>;
  // Not Object.entries, which takes longer than parsing for 50,000 tokens.
  const keys = Object.keys(ids);
  if (keys.length > mostTokens) fail(`has ${keys.length} tokens, more than the ${mostTokens} accepted`);
  const tokens = new Array<string | undefined>(keys.length).fill(undefined);
  for (const token of keys) {
    const id = ids[token];
    if (typeof id !== 'number' || !Number.isInteger(id) || id < 0) {
      fail(`gives token ${quote(token)} the id ${quote(id)}: ids are integers from 0`, id);
    }
    const place = id as number;
    if (place >= tokens.length) {
      fail(
        `gives token ${quote(token)} the id ${place}, but has ${tokens.length} tokens: ids must be 0 to ` +
          `${tokens.length - 1} without a hole. Is a part of the file missing?`,
        place,
      );
    }
    if (tokens[place] !== undefined) {
      fail(`gives the id ${place} to both ${quote(tokens[place])} and ${quote(token)}: ids must be unique`, place);
    }
    tokens[place] = token;
  }
  // As many tokens as ids, all in range and none twice: no hole is left.
  const whole = tokens as string[];
  const idOfToken = new Map<string, number>();
  for (const [id, token] of whole.entries()) idOfToken.set(token, id);
  return { tokens: whole, idOfToken };
}

/** Steps and bytes of memory of a merge, with its place in the table. */
const mergeCost = [5, 120] as const;

function readMerges(source: unknown, name: string, budget: ReadBudget): string[] {
  if (typeof source === 'string') {
    const account = budget.document(name, source.length);
    const merges: string[] = [];
    // Line by line, so that a file of line ends is refused at the first.
    for (let start = 0, line = 1; start < source.length; line++) {
      const end = source.indexOf('\n', start);
      const stop = end < 0 ? source.length : end;
      const text = source.slice(start, source[stop - 1] === '\r' && stop > start ? stop - 1 : stop);
      start = stop + 1;
      // Only the version line is a comment: "# #" is a merge of GPT-2's.
      if (text.startsWith('#version')) continue;
      account.spend(...mergeCost);
      merges.push(checkMerge(text, `${name} line ${line}`));
    }
    return merges;
  }
  if (!Array.isArray(source)) {
    throw new TokenizerError('INVALID_MERGES', `${name} must be text or a list of pairs, not ${quote(source)}`, {
      value: source,
    });
  }
  return (source as unknown[]).map((pair, index) =>
    checkMerge(
      Array.isArray(pair) && pair.length === 2 && pair.every((part) => typeof part === 'string')
        ? pair.join(' ')
        : pair,
      `${name} entry ${index}`,
    ),
  );
}

function checkMerge(merge: unknown, place: string): string {
  if (typeof merge === 'string') {
    const gap = merge.indexOf(' ');
    if (gap > 0 && gap < merge.length - 1 && merge.indexOf(' ', gap + 1) < 0) return merge;
  }
  throw new TokenizerError(
    'INVALID_MERGES',
    `${place} is ${quote(merge)}: a merge is two tokens with one space between them`,
    { value: merge },
  );
}

/** Places looked at to enter a merge: 1.5 on average in a table that is half full, and never that many but by intent. */
const PROBES_PER_MERGE = 16;
const PROBES_OF_ANY = 10_000;

function buildMergeTable(
  merges: readonly string[],
  idOfToken: ReadonlyMap<string, number>,
  vocabName: string,
  mergesName: string,
): MergeTable {
  const table = new MergeTable(merges.length);
  const mostProbes = PROBES_PER_MERGE * merges.length + PROBES_OF_ANY;
  const fail = (rank: number, problem: string): never => {
    const merge = merges[rank]!;
    throw new TokenizerError('INVALID_MERGES', `${mergesName}: merge ${rank}, ${quote(merge)}, ${problem}`, {
      value: merge,
    });
  };
  const missing = (rank: number, role: string, token: string): never =>
    fail(
      rank,
      `has the ${role} ${quote(token)}, which is not in ${vocabName}. The two files belong to different tokenizers, or one ` +
        'is incomplete.',
    );
  merges.forEach((merge, rank) => {
    const gap = merge.indexOf(' ');
    const left = merge.slice(0, gap);
    const right = merge.slice(gap + 1);
    const leftId = idOfToken.get(left) ?? missing(rank, 'left part', left);
    const rightId = idOfToken.get(right) ?? missing(rank, 'right part', right);
    const product = idOfToken.get(left + right) ?? missing(rank, 'product', left + right);
    if (!table.insert(leftId, rightId, rank, product)) fail(rank, 'is there twice');
    if (table.probes > mostProbes) fail(rank, 'falls on places that others have, as merges chosen to do so would');
  });
  return table;
}
