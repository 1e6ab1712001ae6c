import { bytesOfToken } from './byte-alphabet';
import { quote, TokenizerError } from './errors';

/** What the decoder needs to know of the tokenizer. */
export interface TokenSource {
  /** Token of an id, undefined where there is none. */
  tokenOf(id: number): string | undefined;
  /** Whether `skipSpecialTokens` leaves the id out. */
  isSpecial(id: number): boolean;
  /** Ids in all, for the error message. */
  readonly size: number;
}

export interface DecodeOptions {
  /** Leave special tokens out. Default false. */
  skipSpecialTokens?: boolean;
}

/** Ids to bytes; each token's bytes are worked out once. */
export class TokenDecoder {
  private readonly bytes = new Map<number, Uint8Array>();

  constructor(private readonly source: TokenSource) {}

  /** Bytes of a token, none for a special one that is to be skipped. @throws TokenizerError UNKNOWN_ID */
  bytesOf(id: number, skipSpecialTokens: boolean, place: string): Uint8Array {
    if (skipSpecialTokens && this.source.isSpecial(id)) return nothing;
    let bytes = this.bytes.get(id);
    if (bytes === undefined) {
      const token = this.source.tokenOf(id);
      if (token === undefined) {
        throw new TokenizerError(
          'UNKNOWN_ID',
          `${place} is ${quote(id)}: the tokenizer has the ids 0 to ${this.source.size - 1}. ` +
            'Ids that stand for nothing (-100 in labels, rows that pad an embedding) have to be taken out first.',
          { value: id },
        );
      }
      bytes = bytesOfToken(token);
      this.bytes.set(id, bytes);
    }
    return bytes;
  }

  decode(ids: ArrayLike<number>, skipSpecialTokens: boolean): string {
    let bytes = new Uint8Array(Math.max(16, ids.length * 5));
    let length = 0;
    for (let at = 0; at < ids.length; at++) {
      const token = this.bytesOf(ids[at]!, skipSpecialTokens, `ids[${at}]`);
      if (length + token.length > bytes.length) {
        const longer = new Uint8Array(bytes.length * 2 + token.length);
        longer.set(bytes);
        bytes = longer;
      }
      bytes.set(token, length);
      length += token.length;
    }
    return newUtf8Decoder().decode(bytes.subarray(0, length));
  }
}

const nothing = new Uint8Array(0);

/** Text of tokens in the byte alphabet. */
export function decodeTokens(tokens: readonly string[]): string {
  const utf8 = newUtf8Decoder();
  return tokens.map((token) => utf8.decode(bytesOfToken(token), { stream: true })).join('') + utf8.decode();
}

/** Broken sequences become U+FFFD as Rust's from_utf8_lossy makes them; a byte order mark is text like any other. */
function newUtf8Decoder(): TextDecoder {
  return new TextDecoder('utf-8', { ignoreBOM: true });
}

/**
 * Decodes tokens as they come, for showing text while it is generated: a character whose bytes are spread over several
 * tokens is held back until it is whole. All that `push` and `end` return, joined, is what `decode` gives for all ids.
 */
export class DecodeStream {
  private readonly utf8 = newUtf8Decoder();
  private count = 0;

  constructor(
    private readonly decoder: TokenDecoder,
    private readonly skipSpecialTokens: boolean,
  ) {}

  /** Text that is complete now; often empty in the middle of a character. */
  push(id: number): string {
    const bytes = this.decoder.bytesOf(id, this.skipSpecialTokens, `Id ${this.count} of the stream`);
    this.count++;
    return this.utf8.decode(bytes, { stream: true });
  }

  /** What was held back, as U+FFFD: the tokens ended in the middle of a character. */
  end(): string {
    return this.utf8.decode();
  }
}

/** English spacing before punctuation, as transformers 4 did on request: it loses spaces that were in the text. */
export function cleanUpSpaces(text: string): string {
  return text
    .replaceAll(' .', '.')
    .replaceAll(' ?', '?')
    .replaceAll(' !', '!')
    .replaceAll(' ,', ',')
    .replaceAll(" ' ", "'")
    .replaceAll(" n't", "n't")
    .replaceAll(" 'm", "'m")
    .replaceAll(" 's", "'s")
    .replaceAll(" 've", "'ve")
    .replaceAll(" 're", "'re");
}
