import { DEFAULT_THRESHOLD } from '@qlora-js/finetune';
import { BACKENDS, HUB_OPTIONS, TERMINAL_OPTIONS } from './train-options';
import type { NumberSpec, OptionTable, OptionValues } from './spec';

const ADAPTER = 'Adapter:';

/** Options of every command that uses a saved adapter. */
export const ADAPTER_OPTIONS = {
  adapter: {
    kind: 'text',
    placeholder: 'folder',
    default: './qlora-adapter',
    group: ADAPTER,
    basic: true,
    help: 'folder that a training saved',
  },
  base: {
    kind: 'text',
    placeholder: 'path|hub id',
    default: undefined,
    group: ADAPTER,
    help: 'base model; left out, the one that the adapter was trained on',
  },
  threads: {
    kind: 'number',
    integer: true,
    min: 1,
    default: 1,
    group: ADAPTER,
    basic: true,
    help: 'threads that share the texts where there is no GPU, each with a copy of the model',
  },
  backend: { kind: 'choice', choices: BACKENDS, default: 'auto', group: ADAPTER, help: 'where to compute' },
  ...HUB_OPTIONS,
} as const satisfies OptionTable;

const { progress: _, ...SPEECH } = TERMINAL_OPTIONS;

/** What decides where a text may have several labels. */
export const THRESHOLD = {
  kind: 'number',
  min: 0,
  default: DEFAULT_THRESHOLD,
  group: 'Labelling:',
  help: 'probability above which a text has a label, where it may have several',
} as const satisfies NumberSpec;

/** Options of `predict`. */
export const PREDICT_OPTIONS = {
  ...ADAPTER_OPTIONS,
  topK: {
    kind: 'number',
    integer: true,
    min: 1,
    default: undefined,
    group: 'Labelling:',
    basic: true,
    help: 'labels to show for each text, at most; 1, or all above --threshold where a text may have several',
  },
  threshold: THRESHOLD,
  input: {
    kind: 'text',
    placeholder: 'file',
    default: undefined,
    group: 'Labelling:',
    basic: true,
    help: 'texts: a file of lines, or of rows with --text-column',
  },
  textColumn: {
    kind: 'text',
    placeholder: 'name',
    default: undefined,
    group: 'Labelling:',
    help: 'column of the texts in --input, read as CSV, TSV, JSON, JSON Lines or Parquet',
  },
  ...SPEECH,
} as const satisfies OptionTable;

/** What `predict` is told. */
export type PredictValues = OptionValues<typeof PREDICT_OPTIONS>;
