import { type ReadBudget } from '@qlora-js/read-budget';
import { TokenizerError } from './errors';
import { readSettings, type TokenizerSettings } from './settings';
import { readTokenizerJson } from './tokenizer-json';
import { readVocabulary, type Vocabulary } from './vocabulary';

/** A model's folder, wherever it lies; ModelFiles of @qlora-js/hub is one. */
export interface FolderFiles {
  /** What errors call it. */
  readonly id?: string;
  /** Whether there is a file of this name. */
  has(path: string): Promise<boolean>;
  /** Its text. */
  text(path: string): Promise<string>;
}

/** Reads a tokenizer's files from a folder; see GPT2Tokenizer.load. */
export async function readFolder(
  files: FolderFiles,
  budget: ReadBudget,
): Promise<{ vocabulary: Vocabulary; settings: TokenizerSettings }> {
  const optional = async (path: string): Promise<string | undefined> =>
    (await files.has(path)) ? files.text(path) : undefined;
  const [tokenizerJson, tokenizerConfig, specialTokensMap, addedTokens] = await Promise.all(
    ['tokenizer.json', 'tokenizer_config.json', 'special_tokens_map.json', 'added_tokens.json'].map(optional),
  );
  const settings = readSettings({ tokenizerConfig, specialTokensMap, addedTokens }, budget);
  if (tokenizerJson !== undefined) return readTokenizerJson(tokenizerJson, settings, budget);
  const [vocab, merges] = await Promise.all([optional('vocab.json'), optional('merges.txt')]);
  if (vocab === undefined || merges === undefined) {
    const missing = [vocab === undefined && 'vocab.json', merges === undefined && 'merges.txt'].filter(
      (name) => name !== false,
    );
    throw new TokenizerError(
      'MISSING_FILE',
      `${files.id ?? 'The folder'} has no ${missing.join(' and no ')} and no tokenizer.json: a GPT-2 tokenizer is read from vocab.json and ` +
        'merges.txt, or from tokenizer.json. Is this the right folder?',
      { value: missing },
    );
  }
  return { vocabulary: readVocabulary({ vocab, merges }, budget), settings };
}
