import { spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { FinetuneError, type FinetuneErrorCode, type ChatMessage, type GeneratedText } from '@qlora-js/finetune';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { goldenJson, goldenPath } from '../../../../tools/test/golden';
import { converse, type Conversation } from './chat';

const golden = goldenJson<{
  readonly greedy: readonly { prompt: string; options: { repetitionPenalty: number }; text: string }[];
  readonly conversations: readonly { messages: ChatMessage[]; text: string }[];
}>('generation/answers.json');

/** What a command of ours says on standard output, and its exit code. */
async function run(words: readonly string[], input = ''): Promise<{ out: string; error: string; code: number }> {
  const path = (name: string): string => fileURLToPath(new URL(name, import.meta.url));
  const node = [
    '--conditions=@qlora-js/source',
    '--import',
    path('../../../../tools/typescript.mjs'),
    path('../main.ts'),
  ];
  const child = spawn(process.execPath, [...node, ...words]);
  child.stdin.end(input);
  const [out, error, code] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    new Promise<number>((resolve) => child.on('close', (ended) => resolve(ended ?? -1))),
  ]);
  return { out, error, code };
}

const MODEL = ['--base', join(goldenPath('generation'), 'tiny.gguf'), '--quant-type', 'none', '--backend', 'wasm'];

describe('the commands that write', () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'writing-'));
  });
  afterAll(() => rm(folder, { recursive: true }));

  it('generate goes on with a prompt, as text or as JSON', async () => {
    const [expected] = golden.greedy.filter(({ options }) => options.repetitionPenalty === 1.4);
    const words = ['generate', ...MODEL, '--repetition-penalty', '1.4', '--max-new-tokens', '24'];
    expect((await run([...words, expected!.prompt])).out).toBe(`${expected!.text}\n`);
    const { out } = await run([...words, '--json', '--stop', expected!.text.slice(-2)], `${expected!.prompt}\n`);
    expect(JSON.parse(out)).toMatchObject({ prompt: expected!.prompt, finishReason: 'stop', promptTokens: 4 });
  });

  it('chat answers line by line with what was said before in mind', async () => {
    const first = golden.conversations[0]!.text;
    const { out, code } = await run(['chat', ...MODEL, '--max-new-tokens', '16'], 'hello there\nand then?\n');
    expect(out.startsWith(`${first}\n`)).toBe(true);
    expect(out.length).toBeGreaterThan(first.length + 2);
    expect(code).toBe(0);
  });

  it('train learns texts, and generate writes with what it saved; options that do not go together are refused', async () => {
    const data = join(folder, 'texts.jsonl');
    const rows = Array.from({ length: 30 }, (_, row) => `{"prompt": "case ${row % 10}:", "completion": "closed"}`);
    await writeFile(data, rows.join('\n'));
    const adapter = join(folder, 'writer');
    const base = ['--base', goldenPath('generation'), '--backend', 'wasm'];
    const trained = await run([
      ...['train', '--task', 'causal-lm', '--data', data, '--output-dir', adapter, ...base, '--packing', '--json'],
      ...['--learning-rate', '1e-2', '--num-train-epochs', '20', '--eval-steps', '10', '--max-length', '32'],
    ]);
    expect(JSON.parse(trained.out)).toMatchObject({ task: 'causal_lm', rows: { test: 3 } });
    const said = await run(['generate', '--adapter', adapter, '--backend', 'wasm', 'case 7:']);
    expect(said.out).toBe('closed\n');
    const refused = await run(['train', '--task', 'causal-lm', '--label-column', 'x', '--data', data]);
    expect([refused.code, refused.error]).toEqual([1, 'error: --label-column means nothing with --task causal-lm\n']);
    expect((await run(['train', '--packing', '--data', data])).error).toBe('error: --packing needs --task causal-lm\n');
    expect((await run(['generate', 'x'])).error).toContain('--adapter or --base is missing');
  });
});

/** A model that says words until it is stopped, and a conversation with it. */
class Talk {
  readonly said: string[] = [];
  readonly asked: (readonly ChatMessage[])[] = [];
  readonly input = new PassThrough();
  interrupt = (): void => undefined;
  private listening = 0;

  start({
    positions = 1000,
    endless = true,
    refusal = 'BAD_ARGUMENT',
  }: {
    readonly positions?: number;
    readonly endless?: boolean;
    readonly refusal?: FinetuneErrorCode;
  } = {}): Promise<boolean> {
    const conversation: Conversation = {
      generator: {
        positions,
        chatTokens: async (messages) => messages.flatMap(({ content }) => content.split('').map(() => 0)),
        chat: async (messages, { signal, onText } = {}): Promise<GeneratedText> => {
          if (messages.at(-1)!.content.length >= positions) throw new FinetuneError(refusal, 'too long');
          this.asked.push(messages);
          let words = 0;
          do {
            await onText?.(`word${words++} `);
            await new Promise((resolve) => setImmediate(resolve));
          } while (endless && !signal!.aborted);
          return { text: `${words} words`, tokens: [], finishReason: endless ? 'aborted' : 'eos', promptTokens: 1 };
        },
      },
      options: {},
      system: 'be brief',
      input: this.input,
      write: (piece) => void this.said.push(piece),
      ask: () => void this.said.push('?'),
      onInterrupt: (listener) => {
        this.listening++;
        this.interrupt = listener;
        return () => void this.listening--;
      },
      warn: (warning) => void this.said.push(warning),
    };
    return converse(conversation).finally(() => expect(this.listening).toBe(0));
  }

  /** Waits until something was said. */
  async until(what: string): Promise<void> {
    while (!this.said.includes(what)) await new Promise((resolve) => setImmediate(resolve));
  }
}

describe('a conversation', () => {
  it('ends an answer at Ctrl-C and goes on; a second one, with no answer under way, ends it', async () => {
    const talk = new Talk();
    const ended = talk.start();
    talk.input.write('first\n');
    await talk.until('word3 ');
    talk.interrupt();
    await talk.until('\n');
    talk.said.length = 0;
    talk.input.write('second\n');
    await talk.until('word1 ');
    expect(talk.asked[1]!.map(({ role }) => role)).toEqual(['system', 'user', 'assistant', 'user']);
    talk.interrupt();
    await talk.until('?');
    talk.interrupt();
    expect(await ended).toBe(true);
  });

  it('ends at a second Ctrl-C while the answer is still ending, and at the end of the lines without one', async () => {
    const talk = new Talk();
    const ended = talk.start();
    talk.input.write('first\n');
    await talk.until('word1 ');
    talk.interrupt();
    talk.interrupt();
    expect(await ended).toBe(true);
    const quiet = new Talk();
    const over = quiet.start({ endless: false });
    quiet.input.end('one\n\ntwo\n');
    expect(await over).toBe(false);
    expect(quiet.asked.map(({ length }) => length)).toEqual([2, 4]);
  });

  it('forgets the oldest turns where the positions do not suffice, never what it was told before', async () => {
    const talk = new Talk();
    const over = talk.start({ positions: 40, endless: false });
    talk.input.end('12345678\nabcdefgh\nABCDEFGH\n');
    await over;
    expect(talk.said).toContain('the first 2 turns are left out: the model has 40 positions');
    expect(talk.asked.at(-1)!.map(({ content }) => content)).toEqual(['be brief', 'ABCDEFGH']);
  });

  it('leaves out a line that is too long by itself, and keeps what was said before it', async () => {
    const talk = new Talk();
    const over = talk.start({ positions: 60, endless: false });
    talk.input.end(`first\n${'x'.repeat(60)}\nthird\n`);
    expect(await over).toBe(false);
    expect(talk.said.filter((said) => said.startsWith('too long; this line is left out'))).toHaveLength(1);
    expect(talk.said.filter((said) => said === '?')).toHaveLength(4);
    expect(talk.asked.at(-1)!.map(({ content }) => content)).toEqual(['be brief', 'first', '1 words', 'third']);
  });

  it('ends at a refusal that another line would not change', async () => {
    const talk = new Talk();
    const over = talk.start({ positions: 60, refusal: 'UNSUPPORTED_MODEL' });
    talk.input.end(`${'x'.repeat(60)}\n`);
    await expect(over).rejects.toMatchObject({ code: 'UNSUPPORTED_MODEL' });
  });
});
