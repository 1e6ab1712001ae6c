import { cleanUpSpaces, type DecodeOptions, DecodeStream, decodeTokens, TokenDecoder } from './decoder';
import { quote, readBudget, TokenizerError } from './errors';
import { tokenizerFiles } from './files';
import { type FolderFiles, readFolder } from './load';
import type {
  BatchOptions,
  EncodedBatch,
  EncodeOptions,
  NewSpecialTokens,
  NewToken,
  TextOptions,
  TokenizerFiles,
  TokenizerOptions,
} from './options';
import { columnsOf, type EncodedColumns, type EncodedExample, padColumns, type PaddedColumns } from './padding';
import { type LengthPlan, paddedLength, type PadOptions, padRow, planLengths } from './padding';
import { GPT2_PIPELINE } from './pipeline';
import { checkSide, readMaxLength, readSettings, type Side, type SpecialTokenName } from './settings';
import type { TokenizerSettings } from './settings';
import { ByteLevelEncoder } from './text-encoder';
import { TokenRegistry } from './token-registry';
import { readVocabulary, type Vocabulary } from './vocabulary';

const defaultCacheWords = 32768;
const mostCacheWords = 1 << 22;

/**
 * GPT-2's tokenizer: byte-level byte-pair encoding, with the ids, the options and the files of transformers'
 * GPT2Tokenizer (5.x, which is the Rust tokenizers library). Lone surrogates, which Python's text can't hold, become U+FFFD.
 */
export class GPT2Tokenizer {
  private readonly encoder: ByteLevelEncoder;
  private readonly decoder: TokenDecoder;
  private readonly registry: TokenRegistry;
  private readonly warned = new Set<string>();
  private readonly onWarning: (message: string) => void;

  private constructor(
    private readonly vocabulary: Vocabulary,
    private readonly settings: TokenizerSettings,
    options: TokenizerOptions,
  ) {
    const { cacheWords = defaultCacheWords, onWarning = (message) => console.warn(message) } = options;
    if (!Number.isSafeInteger(cacheWords) || cacheWords < 0 || cacheWords > mostCacheWords) {
      throw new TokenizerError(
        'INVALID_OPTION',
        `cacheWords is ${quote(cacheWords)}: it must be a whole number from 0 to ${mostCacheWords}`,
        { value: cacheWords },
      );
    }
    this.onWarning = onWarning;
    this.registry = new TokenRegistry(vocabulary, settings);
    this.encoder = new ByteLevelEncoder(vocabulary, settings.pipeline, cacheWords);
    this.decoder = new TokenDecoder(this.registry);
  }

  /** @throws TokenizerError INVALID_VOCABULARY, INVALID_MERGES, INVALID_CONFIG, UNSUPPORTED */
  static fromFiles(files: TokenizerFiles, options: TokenizerOptions = {}): GPT2Tokenizer {
    const budget = readBudget(options.limits);
    return new GPT2Tokenizer(
      readVocabulary({ ...files, lacksBytes: (files.pipeline ?? GPT2_PIPELINE).words !== 'gpt2' }, budget),
      readSettings(files, budget),
      options,
    );
  }

  /**
   * Reads a model's folder: tokenizer.json where there is one (as transformers does), else vocab.json and merges.txt; and
   * tokenizer_config.json, special_tokens_map.json and added_tokens.json where they are.
   *
   * @throws TokenizerError MISSING_FILE, and as `fromFiles`
   */
  static async load(files: FolderFiles, options: TokenizerOptions = {}): Promise<GPT2Tokenizer> {
    const { vocabulary, settings } = await readFolder(files, readBudget(options.limits));
    return new GPT2Tokenizer(vocabulary, settings, options);
  }

  /** Tokens of the vocabulary, without those added after it. */
  get vocabSize(): number {
    return this.vocabulary.tokens.length;
  }

  /** All tokens with the added ones (Python's len(tokenizer)): rows that an embedding needs. */
  get length(): number {
    return this.registry.size;
  }

  get bosToken(): string | undefined {
    return this.registry.special('bosToken');
  }
  get eosToken(): string | undefined {
    return this.registry.special('eosToken');
  }
  get unkToken(): string | undefined {
    return this.registry.special('unkToken');
  }
  get padToken(): string | undefined {
    return this.registry.special('padToken');
  }
  set bosToken(token: string | undefined) {
    this.registry.setSpecial('bosToken', token);
  }
  set eosToken(token: string | undefined) {
    this.registry.setSpecial('eosToken', token);
  }
  set unkToken(token: string | undefined) {
    this.registry.setSpecial('unkToken', token);
  }
  /** Must be a token there is already, most often `eosToken`; `addSpecialTokens` makes a new one. */
  set padToken(token: string | undefined) {
    this.registry.setSpecial('padToken', token);
  }

  get bosTokenId(): number | undefined {
    return this.registry.specialId('bosToken');
  }
  get eosTokenId(): number | undefined {
    return this.registry.specialId('eosToken');
  }
  get unkTokenId(): number | undefined {
    return this.registry.specialId('unkToken');
  }
  get padTokenId(): number | undefined {
    return this.registry.specialId('padToken');
  }

  /** Special tokens by role, those that are set. */
  get specialTokensMap(): Partial<Record<SpecialTokenName, string>> {
    return Object.fromEntries([...this.settings.specialTokens].map(([name, token]) => [name, token.content]));
  }

  /** The most tokens the model takes; Infinity where the files give no bound. */
  get modelMaxLength(): number {
    return this.settings.modelMaxLength;
  }
  set modelMaxLength(value: number) {
    this.settings.modelMaxLength = readMaxLength(value, 'modelMaxLength', 'INVALID_OPTION');
  }

  get paddingSide(): Side {
    return this.settings.paddingSide;
  }
  set paddingSide(side: Side) {
    this.settings.paddingSide = checkSide(side, 'paddingSide', 'INVALID_OPTION');
  }

  /** The side that tokens are cut from. */
  get truncationSide(): Side {
    return this.settings.truncationSide;
  }
  set truncationSide(side: Side) {
    this.settings.truncationSide = checkSide(side, 'truncationSide', 'INVALID_OPTION');
  }

  /** Put a space before a text (and after an added token) that doesn't begin with one. */
  get addPrefixSpace(): boolean {
    return this.settings.addPrefixSpace;
  }
  set addPrefixSpace(value: boolean) {
    this.settings.addPrefixSpace = value;
  }

  /** Ids of a text. @throws TokenizerError INVALID_OPTION, MISSING_MAX_LENGTH */
  encode(text: string, options: EncodeOptions = {}): number[] {
    const { addSpecialTokens = true, truncation, maxLength } = options;
    const plan = planLengths({ truncation, maxLength }, this);
    const { ids } = this.encodeText(text, 'The text', addSpecialTokens, plan);
    this.reportOverlong(ids.length, maxLength);
    return ids;
  }

  /** How many ids `encode` gives. */
  countTokens(text: string, options: EncodeOptions = {}): number {
    return this.encode(text, options).length;
  }

  /** Tokens of a text, in the byte alphabet of vocab.json ("Ġ" for a space). */
  tokenize(text: string, options: EncodeOptions = {}): string[] {
    return this.convertIdsToTokens(this.encode(text, { addSpecialTokens: false, ...options }));
  }

  /**
   * Ids and masks of texts, cut and padded as asked (transformers' tokenizer(texts, ...)). Without padding the rows have
   * lengths of their own.
   *
   * @throws TokenizerError INVALID_INPUT, INVALID_OPTION, NO_PAD_TOKEN, MISSING_MAX_LENGTH
   */
  batch(
    texts: string | readonly string[],
    options: BatchOptions & { returnAttentionMask: false },
  ): Omit<EncodedBatch, 'attentionMask'>;
  batch(texts: string | readonly string[], options?: BatchOptions): EncodedBatch;
  batch(texts: string | readonly string[], options: BatchOptions = {}): Omit<EncodedBatch, 'attentionMask'> {
    const { addSpecialTokens = true, returnAttentionMask = true } = options;
    const side = checkSide(options.paddingSide ?? this.paddingSide, 'paddingSide', 'INVALID_OPTION');
    const plan = planLengths(options, this);
    if (plan.pad === 'longest' && options.maxLength !== undefined && !plan.truncate) {
      this.warn(
        'ignored',
        "maxLength does nothing with padding: true and no truncation; padding: 'max_length' pads to it",
      );
    }
    let truncatedTexts = 0;
    const rows = (typeof texts === 'string' ? [texts] : texts).map((text, index) => {
      const { ids, truncated } = this.encodeText(text, `texts[${index}]`, addSpecialTokens, plan);
      if (truncated) truncatedTexts++;
      return ids;
    });
    const length = paddedLength(rows, plan);
    const fill = this.padTokenId ?? 0;
    const inputIds = length === undefined ? rows : rows.map((row) => padRow(row, length, fill, side));
    let overlongTexts = 0;
    for (const row of inputIds) {
      if (this.reportOverlong(row.length, options.maxLength)) overlongTexts++;
    }
    const encoded = { inputIds, truncatedTexts, overlongTexts };
    if (!returnAttentionMask) return encoded;
    const attentionMask = rows.map((row) => padRow(new Array<number>(row.length).fill(1), length, 0, side));
    return Object.assign(encoded, { attentionMask });
  }

  /**
   * Pads what is tokenized already, examples or columns; other fields than `inputIds` and `attentionMask` stay as they
   * are (transformers' tokenizer.pad). Nothing is cut: a row longer than maxLength stays longer.
   *
   * @throws TokenizerError INVALID_INPUT, INVALID_OPTION, NO_PAD_TOKEN, MISSING_MAX_LENGTH
   */
  pad<T extends EncodedExample>(
    examples: readonly T[],
    options?: PadOptions,
  ): PaddedColumns & { [K in Exclude<keyof T, keyof PaddedColumns>]: T[K][] };
  pad<T extends EncodedColumns>(columns: T, options?: PadOptions): PaddedColumns & Omit<T, keyof PaddedColumns>;
  pad(encoded: readonly EncodedExample[] | EncodedColumns, options: PadOptions = {}): EncodedColumns {
    return padColumns('inputIds' in encoded ? encoded : columnsOf(encoded), options, this);
  }

  /** Text of ids. Bytes that are no UTF-8 become U+FFFD. @throws TokenizerError UNKNOWN_ID */
  decode(ids: ArrayLike<number>, options: TextOptions = {}): string {
    const text = this.decoder.decode(ids, options.skipSpecialTokens ?? false);
    return options.cleanUpTokenizationSpaces === true ? cleanUpSpaces(text) : text;
  }

  /** Text of each row. */
  batchDecode(rows: readonly ArrayLike<number>[], options: TextOptions = {}): string[] {
    return rows.map((row) => this.decode(row, options));
  }

  /** Decodes ids one by one, for text shown while it is generated. */
  createDecodeStream(options: DecodeOptions = {}): DecodeStream {
    return new DecodeStream(this.decoder, options.skipSpecialTokens ?? false);
  }

  /** Id of each token; an unknown one gets `unkTokenId`. @throws TokenizerError UNKNOWN_TOKEN if there is no unk token */
  convertTokensToIds(token: string): number;
  convertTokensToIds(tokens: readonly string[]): number[];
  convertTokensToIds(tokens: string | readonly string[]): number | number[] {
    if (typeof tokens !== 'string') return tokens.map((token) => this.convertTokensToIds(token));
    const id = this.registry.idOf(tokens) ?? this.unkTokenId;
    if (id !== undefined) return id;
    throw new TokenizerError('UNKNOWN_TOKEN', `There is no token ${quote(tokens)}, and no unk token for it`, {
      value: tokens,
    });
  }

  /** Token of each id, in the byte alphabet. @throws TokenizerError UNKNOWN_ID */
  convertIdsToTokens(id: number): string;
  convertIdsToTokens(ids: ArrayLike<number>): string[];
  convertIdsToTokens(ids: number | ArrayLike<number>): string | string[] {
    if (typeof ids !== 'number') return Array.from(ids, (id) => this.convertIdsToTokens(id));
    const token = this.registry.tokenOf(ids);
    if (token !== undefined) return token;
    throw new TokenizerError('UNKNOWN_ID', `There is no id ${quote(ids)}: the ids are 0 to ${this.length - 1}`, {
      value: ids,
    });
  }

  /** Converts tokens in the byte alphabet to text, as `decode` does for ids. */
  convertTokensToString(tokens: readonly string[]): string {
    return decodeTokens(tokens);
  }

  /**
   * Gives special roles to tokens, adding those the vocabulary lacks, and returns how many were new: a model's embedding
   * then needs `length` rows.
   */
  addSpecialTokens(tokens: NewSpecialTokens): number {
    const before = this.length;
    this.registry.addSpecial(tokens);
    return this.length - before;
  }

  /** Adds tokens that are found in texts before byte-pair encoding, and returns how many were new. */
  addTokens(tokens: readonly NewToken[]): number {
    const before = this.length;
    for (const token of tokens) this.registry.addNew(token);
    return this.length - before;
  }

  /**
   * The tokenizer's files by name, as text, which transformers' AutoTokenizer reads: vocab.json, merges.txt,
   * tokenizer_config.json, special_tokens_map.json, and added_tokens.json if tokens were added.
   */
  save(): Record<string, string> {
    return tokenizerFiles(this.vocabulary, this.settings, this.registry.added);
  }

  /** Ids of a text with the special tokens around it, cut to the plan's length. */
  private encodeText(
    text: string,
    place: string,
    addSpecialTokens: boolean,
    plan: LengthPlan,
  ): { ids: number[]; truncated: boolean } {
    if (typeof text !== 'string') {
      throw new TokenizerError('INVALID_INPUT', `${place} is ${quote(text)}, not text`, { value: text });
    }
    const before = addSpecialTokens && this.settings.addBosToken ? this.bosTokenId : undefined;
    const after = addSpecialTokens && this.settings.addEosToken ? this.eosTokenId : undefined;
    let ids: number[] = [];
    this.encodeInto(ids, text);
    let truncated = false;
    if (plan.truncate) {
      const room = plan.maxLength! - (before === undefined ? 0 : 1) - (after === undefined ? 0 : 1);
      if (room < 0) {
        throw new TokenizerError(
          'INVALID_OPTION',
          `maxLength ${plan.maxLength} leaves no room for the special tokens: raise it, or pass addSpecialTokens: false`,
          { value: plan.maxLength },
        );
      }
      truncated = ids.length > room;
      if (truncated) ids = this.truncationSide === 'right' ? ids.slice(0, room) : ids.slice(ids.length - room);
    }
    if (before !== undefined) ids.unshift(before);
    if (after !== undefined) ids.push(after);
    return { ids, truncated };
  }

  private encodeInto(out: number[], text: string): void {
    const pieces = this.registry.added.split(text);
    if (pieces === undefined) {
      this.encodePiece(out, text, 0, text.length);
      return;
    }
    for (const { id, start, end } of pieces) {
      if (id >= 0) out.push(id);
      else this.encodePiece(out, text, start, end);
    }
  }

  private encodePiece(out: number[], text: string, start: number, end: number): void {
    if (start < end && this.settings.addPrefixSpace && text[start] !== ' ') {
      this.encoder.encodeInto(out, ` ${text.slice(start, end)}`, 0, end - start + 1);
    } else {
      this.encoder.encodeInto(out, text, start, end);
    }
  }

  /** True, with a warning the first time, for a row that the model can't take. */
  private reportOverlong(length: number, maxLength: number | undefined): boolean {
    if (length <= this.modelMaxLength) return false;
    this.warn(
      'overlong',
      `A row has ${length} tokens and the model takes ${this.modelMaxLength}: ` +
        (maxLength === undefined ? 'pass truncation: true' : `maxLength ${maxLength} is above modelMaxLength`),
    );
    return true;
  }

  private warn(kind: string, message: string): void {
    if (this.warned.has(kind)) return;
    this.warned.add(kind);
    this.onWarning(message);
  }
}
