import type { CausalLanguageModel, GenerateOptions } from '@qlora-js/gpt2';
import type { PeftModel } from '@qlora-js/lora';
import type { BaseModel } from '../base/base';
import { FinetuneError } from '../errors';
import { chatTemplateOf, type ChatMessage, type ChatTemplate } from './chat-template';
import { StopStrings } from './stop-strings';

/** How a text is gone on with; names and defaults of drawing are those of transformers' GenerationConfig. */
export interface GenerateTextOptions extends Pick<
  GenerateOptions,
  'doSample' | 'temperature' | 'topK' | 'topP' | 'repetitionPenalty' | 'seed'
> {
  /** Tokens to add at most, and no more than the model has positions for. Default 256. */
  readonly maxNewTokens?: number;
  /** Strings that end the text; they are not part of it. */
  readonly stop?: readonly string[];
  /** Ends the text where it is. */
  readonly signal?: AbortSignal;
  /** Called with the text as it comes; the next token waits for what it returns. */
  readonly onText?: (piece: string) => void | Promise<void>;
}

/** A text that was generated. */
export interface GeneratedText {
  /** Without the prompt, without special tokens. */
  readonly text: string;
  /** Its tokens, the one that ended it included. */
  readonly tokens: readonly number[];
  /** Whether it ended by itself, at a stop string, at maxNewTokens, or by the signal. */
  readonly finishReason: 'eos' | 'stop' | 'length' | 'aborted';
  /** Tokens of the prompt. */
  readonly promptTokens: number;
}

/** What a generator is made of. */
export interface TextGeneratorParts {
  /** The base, with an adapter or without. */
  readonly model: PeftModel<CausalLanguageModel>;
  /** Its tokenizer. */
  readonly base: BaseModel;
}

const DEFAULT_NEW_TOKENS = 256;

/** Goes on with texts, and with conversations where the base has a chat template. */
export class TextGenerator {
  private template: Promise<ChatTemplate | undefined> | undefined;

  constructor(private readonly parts: TextGeneratorParts) {}

  /** Tokens that prompt and answer may have together. */
  get positions(): number {
    return this.parts.model.base.config.nPositions;
  }

  /**
   * Goes on with a prompt.
   * @throws FinetuneError `NO_TEXT` for a prompt without tokens, `BAD_ARGUMENT` for one that leaves no room; Gpt2Error for options
   */
  async generate(prompt: string, options: GenerateTextOptions = {}): Promise<GeneratedText> {
    const { tokenizer } = this.parts.base;
    const ids = tokenizer.encode(prompt);
    // A model that has a token to begin texts with can begin one.
    if (ids.length === 0 && tokenizer.bosTokenId !== undefined) ids.push(tokenizer.bosTokenId);
    return this.continued(ids, options);
  }

  /** Answers a conversation. @throws FinetuneError `UNSUPPORTED_MODEL` where the base has no chat template; as `generate` */
  async chat(messages: readonly ChatMessage[], options: GenerateTextOptions = {}): Promise<GeneratedText> {
    return this.continued(await this.chatTokens(messages), options);
  }

  /** Tokens of a conversation up to where its answer begins. @throws as `chat` */
  async chatTokens(messages: readonly ChatMessage[]): Promise<number[]> {
    const { base } = this.parts;
    const template = await (this.template ??= chatTemplateOf(base.files, base.tokenizer));
    if (template === undefined)
      throw new FinetuneError('UNSUPPORTED_MODEL', `${base.id} has no chat template: it is no model to talk with`, {
        remedy: 'take an instruct or chat model, or go on with texts by generate',
      });
    return base.tokenizer.encode(template.render(messages), { addSpecialTokens: false });
  }

  /** Frees the model. */
  dispose(): void {
    this.parts.model.dispose();
  }

  private async continued(prompt: readonly number[], options: GenerateTextOptions): Promise<GeneratedText> {
    const { maxNewTokens = DEFAULT_NEW_TOKENS, stop = [], signal, onText, ...drawing } = options;
    const { model, base } = this.parts;
    if (prompt.length === 0)
      throw new FinetuneError('NO_TEXT', 'the prompt has no tokens: there is nothing to go on with');
    if (stop.includes('')) throw new FinetuneError('BAD_ARGUMENT', 'a stop string is empty', { value: stop });
    const room = this.positions - prompt.length;
    if (room < 1) {
      throw new FinetuneError(
        'BAD_ARGUMENT',
        `the prompt has ${prompt.length} tokens, but the model has ${this.positions} positions, its answer's among them`,
        { value: prompt.length, remedy: 'shorten the prompt' },
      );
    }
    const stream = base.tokenizer.createDecodeStream({ skipSpecialTokens: true });
    const stops = new StopStrings(stop);
    let text = '';
    const say = async (piece: string): Promise<void> => {
      text += piece;
      if (piece !== '') await onText?.(piece);
    };
    const { tokens, finishReasons } = await model.base.generate([prompt], {
      ...drawing,
      maxNewTokens: Math.min(maxNewTokens, room),
      onToken: async ({ id }) => {
        await say(stops.push(stream.push(id)));
        // Signals and writes have their turn: nothing else on the CPU's backends lets them.
        await new Promise((resolve) => setTimeout(resolve, 0));
      },
      stoppingCriteria: () => stops.stopped || signal?.aborted === true,
    });
    await say(stops.push(stream.end()));
    await say(stops.end());
    const [ended] = finishReasons;
    const finishReason = ended !== 'stopped' ? ended! : stops.stopped ? 'stop' : 'aborted';
    return { text, tokens: tokens[0]!, finishReason, promptTokens: prompt.length };
  }
}
