import { formatOfName } from '../read/format';

/** What a file's rows are for. */
export type SplitName = 'train' | 'validation' | 'test';

/** Words by which files and folders name a split, as Hugging Face's `datasets` knows them (data_files.py). */
const WORDS: Readonly<Record<string, SplitName>> = {
  train: 'train',
  training: 'train',
  validation: 'validation',
  valid: 'validation',
  val: 'validation',
  dev: 'validation',
  test: 'test',
  testing: 'test',
  eval: 'test',
  evaluation: 'test',
};

/** Files that lie beside data without being any. */
const ASIDE = new Set(['categories', 'dataset_info', 'dataset_infos', 'dataset_dict', 'state', 'config', 'package']);

/** The data files of a folder by split; a file that names none is under `train` where no other names one. */
export interface FoundFiles {
  /** Paths by split, sorted; a split without files is an empty list. */
  readonly files: Readonly<Record<SplitName, readonly string[]>>;
  /** Data files that belong to no split. */
  readonly unused: readonly string[];
}

/** Sorts a folder's paths into splits by the words in their names, the file's own name before its folders'. */
export function filesBySplit(paths: readonly string[]): FoundFiles {
  const files: Record<SplitName, string[]> = { train: [], validation: [], test: [] };
  const unnamed: string[] = [];
  for (const path of paths.filter(isDataFile)) {
    const split = splitOf(path);
    if (split === undefined) unnamed.push(path);
    else files[split].push(path);
  }
  const named = files.train.length + files.validation.length + files.test.length > 0;
  if (!named) return { files: { ...files, train: unnamed }, unused: [] };
  return { files, unused: unnamed };
}

function isDataFile(path: string): boolean {
  const name = path.split('/').at(-1)!;
  const stem = name.split('.')[0]!;
  return !name.startsWith('.') && formatOfName(name) !== undefined && !ASIDE.has(stem.toLowerCase());
}

function splitOf(path: string): SplitName | undefined {
  for (const part of path.split('/').reverse()) {
    const stem = part.replace(/\.[a-z]+(\.gz)?$/i, '').toLowerCase();
    for (const word of stem.split(/[^a-z]+/)) if (Object.hasOwn(WORDS, word)) return WORDS[word];
  }
  return undefined;
}
