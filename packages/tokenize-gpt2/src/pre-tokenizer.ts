import { letterRuns, numberRuns, whiteSpaceRuns } from './character-classes.generated';

/**
 * GPT-2's pre-tokenizer: the words that byte-pair merges never cross, as this regex (encoder.py of GPT-2; tokenizers'
 * pre_tokenizers::byte_level) finds them one after the other:
 *
 *   's|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+
 *
 * Scanned by hand over a table of character classes. The table is the Rust library's own, not the runtime's \p{L}:
 * ids then don't change with the Unicode version of a browser, and JavaScript's \s (which has U+FEFF and lacks U+0085)
 * doesn't come in.
 */
export const CharacterClass = { other: 0, letter: 1, number: 2, whiteSpace: 3 } as const;

const surrogate = 4;

interface ClassTable {
  /** Class of each code unit of the basic plane; surrogates are marked and looked up as pairs. */
  basic: Uint8Array;
  /** Starts of the runs of equal class above the basic plane, ascending, and their classes. */
  starts: number[];
  classes: number[];
}

function forEachRun(runs: string, visit: (start: number, end: number) => void): void {
  let at = 0;
  const numbers = runs.split(' ').map((number) => parseInt(number, 36));
  for (let i = 0; i + 1 < numbers.length; i += 2) {
    const start = at + numbers[i]!;
    at = start + numbers[i + 1]!;
    visit(start, at);
  }
}

function buildClassTable(): ClassTable {
  const basic = new Uint8Array(0x10000).fill(surrogate, 0xd800, 0xe000);
  const above: { start: number; end: number; kind: number }[] = [];
  const enter = (runs: string, kind: number): void =>
    forEachRun(runs, (start, end) => {
      basic.fill(kind, start, Math.min(end, 0x10000));
      if (end > 0x10000) above.push({ start: Math.max(start, 0x10000), end, kind });
    });
  enter(letterRuns, CharacterClass.letter);
  enter(numberRuns, CharacterClass.number);
  enter(whiteSpaceRuns, CharacterClass.whiteSpace);
  above.sort((a, b) => a.start - b.start);
  const table: ClassTable = { basic, starts: [0x10000], classes: [CharacterClass.other] };
  for (const { start, end, kind } of above) {
    if (table.starts[table.starts.length - 1] === start) table.classes[table.classes.length - 1] = kind;
    else {
      table.starts.push(start);
      table.classes.push(kind);
    }
    table.starts.push(end);
    table.classes.push(CharacterClass.other);
  }
  return table;
}

const table = buildClassTable();
const basic = table.basic;

function classAboveBasicPlane(codePoint: number): number {
  const { starts, classes } = table;
  let low = 0;
  let high = starts.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >>> 1;
    if (starts[middle]! <= codePoint) low = middle;
    else high = middle - 1;
  }
  return classes[low]!;
}

/** Class of the code point that starts at `at` (which is below `limit`); a lone surrogate is `other`. */
function classAt(text: string, at: number, limit: number): number {
  const kind = basic[text.charCodeAt(at)]!;
  if (kind !== surrogate) return kind;
  if (at + 1 >= limit) return CharacterClass.other;
  const codePoint = text.codePointAt(at)!;
  return codePoint > 0xffff ? classAboveBasicPlane(codePoint) : CharacterClass.other;
}

/** Class of a code point, one of CharacterClass. */
export function characterClass(codePoint: number): number {
  if (codePoint > 0xffff) return classAboveBasicPlane(codePoint);
  const kind = basic[codePoint]!;
  return kind === surrogate ? CharacterClass.other : kind;
}

const apostrophe = 0x27;
const space = 0x20;

/** Length of 's 't 're 've 'm 'll 'd at `at` (where an apostrophe stands), else 0. */
function contractionLength(text: string, at: number, limit: number): number {
  if (at + 1 >= limit) return 0;
  switch (text.charCodeAt(at + 1)) {
    case 0x73: // s
    case 0x74: // t
    case 0x6d: // m
    case 0x64: // d
      return 2;
    case 0x72: // re
    case 0x76: // ve
      return at + 2 < limit && text.charCodeAt(at + 2) === 0x65 ? 3 : 0;
    case 0x6c: // ll
      return at + 2 < limit && text.charCodeAt(at + 2) === 0x6c ? 3 : 0;
    default:
      return 0;
  }
}

/** End of the run of `kind` that goes on at `at`. */
function runEnd(text: string, at: number, limit: number, kind: number): number {
  while (at < limit) {
    const code = text.charCodeAt(at);
    const here = basic[code]!;
    if (here === kind) {
      at++;
    } else if (here === surrogate && classAt(text, at, limit) === kind) {
      at += code < 0xdc00 && at + 1 < limit && (text.charCodeAt(at + 1) & 0xfc00) === 0xdc00 ? 2 : 1;
    } else {
      break;
    }
  }
  return at;
}

/** End of the word that starts at `at`, for at < limit; words cover the text without gaps. */
export function wordEnd(text: string, at: number, limit: number): number {
  const code = text.charCodeAt(at);
  const kind = classAt(text, at, limit);
  if (code === space && at + 1 < limit) {
    const next = classAt(text, at + 1, limit);
    if (next !== CharacterClass.whiteSpace) return runEnd(text, at + 1, limit, next);
  }
  if (kind === CharacterClass.whiteSpace) {
    const end = runEnd(text, at, limit, CharacterClass.whiteSpace);
    // \s+(?!\S) leaves the last one to the word that follows, unless it is the only one.
    return end < limit && end - at > 1 ? end - 1 : end;
  }
  if (code === apostrophe) {
    const length = contractionLength(text, at, limit);
    if (length > 0) return at + length;
  }
  return runEnd(text, at, limit, kind);
}

/** SmolLM's words: GPT-2's, of a text in which every digit stands alone (tokenizers' pre_tokenizers::digits). */
export function smollmWordEnd(text: string, at: number, limit: number): number {
  const kind = classAt(text, at, limit);
  if (kind === CharacterClass.number) return at + characterLength(text, at, limit);
  if (kind === CharacterClass.whiteSpace) {
    // A digit ends the piece that GPT-2's expression sees, so that it takes the whole run before one.
    const end = runEnd(text, at, limit, CharacterClass.whiteSpace);
    if (end < limit && classAt(text, end, limit) === CharacterClass.number) return end;
  }
  return wordEnd(text, at, limit);
}

const carriageReturn = 0x0d;
const lineFeed = 0x0a;
const isLineEnd = (code: number): boolean => code === lineFeed || code === carriageReturn;

/**
 * Words by the expression of OpenAI's cl100k that Llama 3 and Qwen2 have, numbers cut into `digits`:
 *
 *   (?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,digits}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+
 */
function cl100kWordEnd(text: string, at: number, limit: number, digits: number): number {
  const code = text.charCodeAt(at);
  const kind = classAt(text, at, limit);
  if (code === apostrophe) {
    const length = anyCaseContractionLength(text, at, limit);
    if (length > 0) return at + length;
  }
  if (kind === CharacterClass.letter) return runEnd(text, at, limit, CharacterClass.letter);
  if (kind === CharacterClass.number) {
    let end = at;
    for (let count = 0; count < digits && end < limit && classAt(text, end, limit) === CharacterClass.number; count++) {
      end += characterLength(text, end, limit);
    }
    return end;
  }
  const next = at + characterLength(text, at, limit);
  if (!isLineEnd(code) && next < limit && classAt(text, next, limit) === CharacterClass.letter) {
    return runEnd(text, next, limit, CharacterClass.letter);
  }
  const from = code === space ? next : at;
  if (from < limit && classAt(text, from, limit) === CharacterClass.other) {
    let end = runEnd(text, from, limit, CharacterClass.other);
    while (end < limit && isLineEnd(text.charCodeAt(end))) end++;
    return end;
  }
  const end = runEnd(text, at, limit, CharacterClass.whiteSpace);
  for (let last = end - 1; last >= at; last--) if (isLineEnd(text.charCodeAt(last))) return last + 1;
  // \s+(?!\S) leaves the last one to the word that follows, unless it is the only one.
  return end < limit && end - at > 1 ? end - 1 : end;
}

export const llama3WordEnd = (text: string, at: number, limit: number): number => cl100kWordEnd(text, at, limit, 3);
export const qwen2WordEnd = (text: string, at: number, limit: number): number => cl100kWordEnd(text, at, limit, 1);

/** Code units of the character at `at`. */
function characterLength(text: string, at: number, limit: number): number {
  const high = (text.charCodeAt(at) & 0xfc00) === 0xd800;
  return high && at + 1 < limit && (text.charCodeAt(at + 1) & 0xfc00) === 0xdc00 ? 2 : 1;
}

/** `contractionLength` in either case; the long s is an s in another case too. */
function anyCaseContractionLength(text: string, at: number, limit: number): number {
  const folded = text
    .slice(at, Math.min(at + 3, limit))
    .replace('\u017f', 's')
    .toLowerCase();
  return folded.length > 1 ? contractionLength(folded, 0, folded.length) : 0;
}

/** The words of a text, in order. */
export function preTokenize(text: string): string[] {
  const words: string[] = [];
  for (let at = 0; at < text.length;) {
    const end = wordEnd(text, at, text.length);
    words.push(text.slice(at, end));
    at = end;
  }
  return words;
}
