import { ADAPTER_OPTIONS } from './predict-options';
import type { OptionTable, OptionValues } from './spec';
import { HUB_OPTIONS, TERMINAL_OPTIONS } from './train-options';

const MODEL = 'Model:';
const WRITING = 'Writing:';
const { progress: _, ...SPEECH } = TERMINAL_OPTIONS;

/** Options of the commands that write. */
export const GENERATE_OPTIONS = {
  adapter: {
    kind: 'text',
    placeholder: 'folder',
    default: undefined,
    group: MODEL,
    basic: true,
    help: 'folder that a training with --task causal-lm saved; left out, the base alone',
  },
  base: {
    kind: 'text',
    placeholder: 'path|hub id',
    default: undefined,
    group: MODEL,
    basic: true,
    help: 'base model: a folder, a GGUF file or a hub id; left out, the one that the adapter was trained on',
  },
  quantType: {
    kind: 'choice',
    choices: ['nf4', 'fp4', 'int4', 'none'],
    default: undefined,
    group: MODEL,
    help: 'how the base is kept; left out, as the adapter was trained on it, else nf4',
  },
  backend: { ...ADAPTER_OPTIONS.backend, group: MODEL },
  ...HUB_OPTIONS,
  maxNewTokens: {
    kind: 'number',
    integer: true,
    min: 1,
    default: 256,
    group: WRITING,
    basic: true,
    help: 'tokens to write, at most',
  },
  temperature: {
    kind: 'number',
    min: 0,
    default: 0,
    group: WRITING,
    basic: true,
    help: 'how far from the likeliest token to draw; 0 takes the likeliest',
  },
  topK: {
    kind: 'number',
    integer: true,
    min: 0,
    default: 50,
    group: WRITING,
    help: 'draw among so many of the likeliest tokens; 0 for all',
  },
  topP: {
    kind: 'number',
    min: 0,
    default: 1,
    group: WRITING,
    help: 'draw among the likeliest tokens that together reach this probability',
  },
  repetitionPenalty: {
    kind: 'number',
    min: 0,
    default: 1,
    group: WRITING,
    help: 'above 1 makes tokens that are there already less likely',
  },
  seed: { kind: 'number', integer: true, min: 0, default: 0, group: WRITING, help: 'seed of the draws' },
  stop: { kind: 'list', default: undefined, group: WRITING, help: 'texts that end the answer; not part of it' },
} as const satisfies OptionTable;

/** Options of `generate`. */
export const GENERATE_TEXT_OPTIONS = { ...GENERATE_OPTIONS, ...SPEECH } as const satisfies OptionTable;

/** Options of `chat`. */
export const CHAT_OPTIONS = {
  ...GENERATE_OPTIONS,
  system: {
    kind: 'text',
    placeholder: 'text',
    default: undefined,
    group: WRITING,
    basic: true,
    help: 'what the model is told before the conversation',
  },
  quiet: TERMINAL_OPTIONS.quiet,
} as const satisfies OptionTable;

/** What both are told. */
export type WritingValues = OptionValues<typeof GENERATE_OPTIONS>;

/** What `generate` is told. */
export type GenerateValues = OptionValues<typeof GENERATE_TEXT_OPTIONS>;

/** What `chat` is told. */
export type ChatValues = OptionValues<typeof CHAT_OPTIONS>;
