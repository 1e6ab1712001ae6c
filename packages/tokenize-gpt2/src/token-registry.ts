import { type AddedToken, addedTokenFields, AddedTokens, readAddedToken } from './added-tokens';
import { quote, TokenizerError } from './errors';
import type { NewSpecialTokens, NewToken } from './options';
import { specialTokenNames, type SpecialTokenName, type TokenizerSettings } from './settings';
import type { Vocabulary } from './vocabulary';

/** All tokens and their ids: those of the vocabulary, those added, and which play a special role. */
export class TokenRegistry {
  readonly added = new AddedTokens();
  /** Ids in all; the next token added gets this one. */
  size: number;

  constructor(
    private readonly vocabulary: Vocabulary,
    private readonly settings: TokenizerSettings,
  ) {
    this.size = vocabulary.tokens.length;
    for (const [id, token] of settings.addedTokens) {
      const actual = this.add(token);
      if (actual !== id) {
        throw new TokenizerError(
          'INVALID_CONFIG',
          `The added token ${quote(token.content)} is declared with the id ${id}, but gets ${actual}: added tokens are in ` +
            'the vocabulary or follow it without a hole. Do the files belong together?',
          { value: id },
        );
      }
    }
    const named = [...settings.specialTokens.values(), ...settings.otherNamedTokens, ...settings.extraSpecialTokens];
    for (const token of named) if (this.added.idOf(token.content) === undefined) this.add(token);
  }

  /** Enters an added token, at its id in the vocabulary or at the end, and returns the id. */
  add(token: AddedToken): number {
    const id = this.idOf(token.content) ?? this.size++;
    this.added.set(token, id);
    return id;
  }

  idOf(token: string): number | undefined {
    return this.added.idOf(token) ?? this.vocabulary.idOfToken.get(token);
  }

  tokenOf(id: number): string | undefined {
    return this.added.get(id)?.content ?? this.vocabulary.tokens[id];
  }

  isSpecial(id: number): boolean {
    return this.added.get(id)?.special === true;
  }

  special(name: SpecialTokenName): string | undefined {
    return this.settings.specialTokens.get(name)?.content;
  }

  specialId(name: SpecialTokenName): number | undefined {
    const token = this.special(name);
    return token === undefined ? undefined : this.idOf(token);
  }

  /** Gives the role to a token there is, or to none. @throws TokenizerError UNKNOWN_TOKEN */
  setSpecial(name: SpecialTokenName, content: string | undefined): void {
    if (content === undefined) {
      this.settings.specialTokens.delete(name);
      return;
    }
    const id = this.idOf(content);
    if (id === undefined) {
      throw new TokenizerError(
        'UNKNOWN_TOKEN',
        `${name} can't be ${quote(content)}: there is no such token. Use one there is (tokenizer.eosToken, say), or add it ` +
          `with tokenizer.addSpecialTokens({ ${name}: ${quote(content)} }) and resize the model's embedding.`,
        { value: content },
      );
    }
    const plain = { content, singleWord: false, lstrip: false, rstrip: false, normalized: false, special: true };
    this.settings.specialTokens.set(name, { ...plain, ...this.added.get(id) });
  }

  /** Enters a token with flags as a caller gives them. */
  addNew(token: NewToken): void {
    const given = typeof token === 'string' ? { content: token } : token;
    const { special = false } = given;
    const defaults = { singleWord: false, lstrip: false, rstrip: false, normalized: !special, special };
    this.add(readAddedToken(addedTokenFields({ ...defaults, ...given }), `Token ${quote(given.content)}`, special));
  }

  /** Enters special tokens and gives them their roles. */
  addSpecial(tokens: NewSpecialTokens): void {
    for (const name of specialTokenNames) {
      const content = tokens[name];
      if (content === undefined) continue;
      this.add(readAddedToken(content, name, true));
      this.setSpecial(name, content);
    }
    const { extraSpecialTokens } = this.settings;
    for (const content of tokens.extraSpecialTokens ?? []) {
      const token = readAddedToken(content, 'extraSpecialTokens', true);
      this.add(token);
      if (!extraSpecialTokens.some((other) => other.content === content)) extraSpecialTokens.push(token);
    }
  }
}
