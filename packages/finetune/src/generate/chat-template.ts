import { Template } from '@huggingface/jinja';
import { ggufTokenizer, type GgufModelFiles, type ModelFiles } from '@qlora-js/hub';
import type { GPT2Tokenizer } from '@qlora-js/tokenize-gpt2';
import { FinetuneError } from '../errors';

/** A turn of a conversation. */
export interface ChatMessage {
  /** Whose turn it is. */
  readonly role: 'system' | 'user' | 'assistant';
  /** What was said. */
  readonly content: string;
}

/** The file that transformers keeps a template in by itself. */
const TEMPLATE_FILE = 'chat_template.jinja';
const CONFIG_FILE = 'tokenizer_config.json';

/** Makes the text that a model was trained on out of a conversation. */
export class ChatTemplate {
  private readonly template: Template;

  /** @throws FinetuneError `UNSUPPORTED_MODEL` for a template that can't be read */
  constructor(
    source: string,
    private readonly place: string,
    private readonly tokenizer: Pick<GPT2Tokenizer, 'specialTokensMap'>,
  ) {
    try {
      this.template = new Template(source);
    } catch (error) {
      throw this.failure("can't be read", error);
    }
  }

  /** The conversation as text, up to where the assistant's answer begins; special tokens are in it. @throws FinetuneError `BAD_ARGUMENT` */
  render(messages: readonly ChatMessage[]): string {
    const { bosToken = '', eosToken = '', padToken = '', unkToken = '' } = this.tokenizer.specialTokensMap;
    try {
      return this.template.render({
        messages: messages.map((message) => ({ ...message })),
        add_generation_prompt: true,
        ...{ bos_token: bosToken, eos_token: eosToken, pad_token: padToken, unk_token: unkToken },
      });
    } catch (error) {
      throw this.failure('takes no such conversation', error);
    }
  }

  private failure(what: string, error: unknown): FinetuneError {
    const cause = error instanceof Error ? error.message : String(error);
    return new FinetuneError('UNSUPPORTED_MODEL', `the chat template of ${this.place} ${what}: ${cause}`, {
      cause: error,
    });
  }
}

/** The template that a model's files carry; undefined where they carry none. */
export async function chatTemplateOf(
  files: ModelFiles,
  tokenizer: Pick<GPT2Tokenizer, 'specialTokensMap'>,
): Promise<ChatTemplate | undefined> {
  const source = await sourceOf(files);
  return source === undefined ? undefined : new ChatTemplate(source, files.id, tokenizer);
}

async function sourceOf(files: ModelFiles): Promise<string | undefined> {
  if ('gguf' in files) return ggufTokenizer((files as GgufModelFiles).gguf).chatTemplate;
  if (await files.has(TEMPLATE_FILE)) {
    const source = await files.open(TEMPLATE_FILE);
    return new TextDecoder().decode(await source.read(0, source.size));
  }
  if (!(await files.has(CONFIG_FILE))) return undefined;
  const config = (await files.json(CONFIG_FILE)) as { readonly chat_template?: unknown } | null;
  const template = config?.chat_template;
  if (typeof template === 'string') return template;
  if (!Array.isArray(template)) return undefined;
  // Several by name: transformers takes the one called default.
  const named = template as readonly { readonly name?: unknown; readonly template?: unknown }[];
  const chosen = named.find(({ name }) => name === 'default')?.template;
  return typeof chosen === 'string' ? chosen : undefined;
}
