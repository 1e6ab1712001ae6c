import { quote, TokenizerError } from './errors';
import { characterClass, CharacterClass } from './pre-tokenizer';

/** A token found in the text before byte-pair encoding (tokenizers' AddedToken). */
export interface AddedToken {
  content: string;
  /** Only as a whole word: no word character right before or after. */
  singleWord: boolean;
  /** Takes the white space before it. */
  lstrip: boolean;
  /** Takes the white space after it. */
  rstrip: boolean;
  /** Looked for after the tokens that are not; GPT-2 has no normalizer, so that is all it means here. */
  normalized: boolean;
  /** Left out by `skipSpecialTokens`. */
  special: boolean;
}

/** A piece of the text: an added token by its id, or text to encode where id is -1. */
export interface TextPiece {
  id: number;
  start: number;
  end: number;
}

/** Rust's \w (regex crate); JavaScript's is ASCII only. */
const wordCharacter = /^[\p{Alphabetic}\p{M}\p{Nd}\p{Pc}\p{Join_Control}]/u;

function endsWithWord(text: string, end: number): boolean {
  if (end === 0) return false;
  const low = (text.charCodeAt(end - 1) & 0xfc00) === 0xdc00;
  return wordCharacter.test(text.slice(low && end > 1 ? end - 2 : end - 1, end));
}

function startsWithWord(text: string, start: number): boolean {
  return start < text.length && wordCharacter.test(text.slice(start, start + 2));
}

function isWhiteSpace(text: string, at: number): boolean {
  return characterClass(text.charCodeAt(at)) === CharacterClass.whiteSpace;
}

/** Reads one added token of added_tokens_decoder, special_tokens_map.json or tokenizer.json. */
export function readAddedToken(value: unknown, place: string, special: boolean): AddedToken {
  if (typeof value === 'string') return plainToken(value, special, place);
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new TokenizerError(
      'INVALID_CONFIG',
      `${place} is ${quote(value)}: a token is text or an object with content`,
      {
        value,
      },
    );
  }
  const fields = value as Record<string, unknown>;
  const flag = (name: string, otherwise: boolean): boolean => {
    const found = Object.hasOwn(fields, name) ? fields[name] : otherwise;
    if (typeof found === 'boolean') return found;
    throw new TokenizerError('INVALID_CONFIG', `${place}.${name} is ${quote(found)}, not true or false`, {
      value: found,
    });
  };
  const isSpecial = flag('special', special);
  return {
    ...plainToken(Object.hasOwn(fields, 'content') ? fields['content'] : undefined, isSpecial, place),
    singleWord: flag('single_word', false),
    lstrip: flag('lstrip', false),
    rstrip: flag('rstrip', false),
    normalized: flag('normalized', !isSpecial),
  };
}

function plainToken(content: unknown, special: boolean, place: string): AddedToken {
  if (typeof content !== 'string' || content === '') {
    throw new TokenizerError(
      'INVALID_CONFIG',
      `${place} has the content ${quote(content)}: a token is text, not empty`,
      {
        value: content,
      },
    );
  }
  return { content, singleWord: false, lstrip: false, rstrip: false, normalized: !special, special };
}

/** The keys that Python's files use. */
export function addedTokenFields(token: AddedToken): Record<string, unknown> {
  return {
    content: token.content,
    lstrip: token.lstrip,
    normalized: token.normalized,
    rstrip: token.rstrip,
    single_word: token.singleWord,
    special: token.special,
  };
}

/** Up to this many tokens are looked for one by one; `includes` is a fast scan, faster than a regex that finds nothing. */
const mostScannedApart = 8;

/** Added tokens of one pass: all that are normalized, or all that are not. */
class TokenMatcher {
  private pattern: RegExp | undefined;
  private readonly tokens = new Map<string, { token: AddedToken; id: number }>();

  add(token: AddedToken, id: number): void {
    this.tokens.set(token.content, { token, id });
    this.pattern = undefined;
  }

  remove(content: string): void {
    if (this.tokens.delete(content)) this.pattern = undefined;
  }

  private mayOccur(text: string): boolean {
    if (this.tokens.size > mostScannedApart) return true;
    for (const content of this.tokens.keys()) if (text.includes(content)) return true;
    return false;
  }

  /** Alternatives are tried in order, so longest first gives the leftmost longest match. */
  private buildPattern(): RegExp {
    const contents = [...this.tokens.keys()].sort((a, b) => b.length - a.length);
    return new RegExp(contents.map((content) => content.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&')).join('|'), 'gu');
  }

  /** Splits a text as tokenizers' AddedVocabulary::find_matches does; undefined where no token occurs. */
  split(text: string): TextPiece[] | undefined {
    if (!this.mayOccur(text)) return undefined;
    this.pattern ??= this.buildPattern();
    const pieces: TextPiece[] = [];
    let done = 0;
    for (const match of text.matchAll(this.pattern)) {
      const { token, id } = this.tokens.get(match[0])!;
      let start = match.index;
      let end = start + match[0].length;
      if (token.singleWord && (endsWithWord(text, start) || startsWithWord(text, end))) continue;
      if (token.lstrip) while (start > done && isWhiteSpace(text, start - 1)) start--;
      if (token.rstrip) while (end < text.length && isWhiteSpace(text, end)) end++;
      if (done < start) pieces.push({ id: -1, start: done, end: start });
      pieces.push({ id, start, end });
      done = end;
    }
    if (done < text.length) pieces.push({ id: -1, start: done, end: text.length });
    return pieces;
  }
}

/**
 * Characters of all added tokens together: one expression looks for all of them, and making it takes a microsecond a
 * character and more. The most of any known tokenizer are the 6,400 tokens of Gemma 3, some 90,000 characters.
 */
const mostCharacters = 250_000;

/** Added tokens by id, and how they split a text. */
export class AddedTokens {
  private readonly byId = new Map<number, AddedToken>();
  private readonly ids = new Map<string, number>();
  private readonly asIs = new TokenMatcher();
  private readonly normalized = new TokenMatcher();
  private characters = 0;

  /** Enters a token, or changes the flags of one that is there. */
  set(token: AddedToken, id: number): void {
    if (!this.ids.has(token.content)) this.characters += token.content.length;
    if (this.characters > mostCharacters) {
      throw new TokenizerError(
        'UNSUPPORTED',
        `The added tokens up to ${quote(token.content)} have more than ${mostCharacters} characters together, which no ` +
          'known tokenizer has: put tokens that are not special into the vocabulary.',
        { value: token.content },
      );
    }
    this.byId.set(id, token);
    this.ids.set(token.content, id);
    (token.normalized ? this.asIs : this.normalized).remove(token.content);
    (token.normalized ? this.normalized : this.asIs).add(token, id);
  }

  get(id: number): AddedToken | undefined {
    return this.byId.get(id);
  }

  idOf(content: string): number | undefined {
    return this.ids.get(content);
  }

  /** Ids and tokens, by ascending id. */
  entries(): [number, AddedToken][] {
    return [...this.byId].sort(([a], [b]) => a - b);
  }

  /** The text cut at the added tokens; undefined where none occurs. */
  split(text: string): TextPiece[] | undefined {
    const pieces = this.asIs.split(text);
    if (pieces === undefined) return this.normalized.split(text);
    return pieces.flatMap((piece) => {
      if (piece.id >= 0) return [piece];
      const inner = this.normalized.split(text.slice(piece.start, piece.end));
      return (
        inner?.map(({ id, start, end }) => ({ id, start: piece.start + start, end: piece.start + end })) ?? [piece]
      );
    });
  }
}
