import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import {
  FinetuneError,
  type ChatMessage,
  type GenerateTextOptions,
  type Output,
  type TextGenerator,
} from '@qlora-js/finetune';
import type { ChatValues } from '../options/generate-options';
import { openGenerator, writingOptions } from './generate';

/** What a conversation is held over. */
export interface Conversation {
  /** Who answers. */
  readonly generator: Pick<TextGenerator, 'chat' | 'chatTokens' | 'positions'>;
  /** How its tokens are chosen. */
  readonly options: GenerateTextOptions;
  /** What it is told before. */
  readonly system: string | undefined;
  /** Lines of the other side. */
  readonly input: Readable;
  /** Shows what is said. */
  readonly write: (text: string) => void;
  /** Asks for a line. */
  readonly ask: () => void;
  /** Listens for Ctrl-C until the function that it gives back is called. */
  readonly onInterrupt: (listener: () => void) => () => void;
  /** Says what should be known. */
  readonly warn: (text: string) => void;
}

/**
 * Answers line by line, all that was said before in mind, until the lines end. Ctrl-C ends the answer under way; where none is, or when it comes
 * again before the answer has ended, the conversation.
 *
 * @returns whether it was Ctrl-C that ended it
 */
export async function converse(conversation: Conversation): Promise<boolean> {
  const { generator, options, system, input, write, ask, onInterrupt, warn } = conversation;
  const before: ChatMessage[] = system === undefined ? [] : [{ role: 'system', content: system }];
  const turns: ChatMessage[] = [];
  const lines = createInterface({ input, terminal: false });
  let answering: AbortController | undefined;
  let interrupted = false;
  const ignore = onInterrupt(() => {
    if (answering !== undefined && !answering.signal.aborted) return answering.abort();
    interrupted = true;
    lines.close();
  });
  try {
    ask();
    for await (const line of lines) {
      if (line.trim() !== '') {
        const earlier = [...turns];
        turns.push({ role: 'user', content: line });
        const dropped = await fit(conversation, before, turns);
        if (dropped > 0)
          warn(`the first ${dropped} turns are left out: the model has ${generator.positions} positions`);
        answering = new AbortController();
        const { signal } = answering;
        try {
          const { text } = await generator.chat([...before, ...turns], { ...options, signal, onText: write });
          write('\n');
          turns.push({ role: 'assistant', content: text });
        } catch (error) {
          if (!FinetuneError.isInstance(error) || error.code !== 'BAD_ARGUMENT') throw error;
          turns.splice(0, turns.length, ...earlier);
          warn(`${error.message}; this line is left out, and what was said before it counts on`);
        } finally {
          answering = undefined;
        }
      }
      if (interrupted) break;
      ask();
    }
  } finally {
    ignore();
    lines.close();
  }
  return interrupted;
}

/** Room that an answer is to have, as a share of the positions. */
const ROOM = 0.25;

/** Drops the oldest turns, a question with its answer, until there is room for another answer. */
async function fit({ generator }: Conversation, before: readonly ChatMessage[], turns: ChatMessage[]): Promise<number> {
  const most = Math.floor(generator.positions * (1 - ROOM));
  let dropped = 0;
  while (turns.length > 1 && (await generator.chatTokens([...before, ...turns])).length > most) {
    turns.splice(0, 2);
    dropped += 2;
  }
  return dropped;
}

/** Holds a conversation on the terminal. */
export async function chat(values: ChatValues, output: Output): Promise<void> {
  const options = writingOptions(values);
  const generator = await openGenerator(values, output);
  try {
    const person = process.stdin.isTTY;
    // Refused before the first question, not after it.
    await generator.chatTokens([{ role: 'user', content: 'hello' }]);
    if (person) output.line('Ctrl-C ends an answer, and where none is under way the program.');
    const interrupted = await converse({
      ...{ generator, options, system: values.system, input: process.stdin },
      write: (text) => void process.stdout.write(text),
      ask: () => void (person && process.stdout.write('> ')),
      onInterrupt: (listener) => {
        process.on('SIGINT', listener);
        return () => process.off('SIGINT', listener);
      },
      warn: (text) => output.warn(text),
    });
    if (person) process.stdout.write('\n');
    if (interrupted) process.exitCode = 130;
  } finally {
    generator.dispose();
    process.stdin.destroy();
  }
}
