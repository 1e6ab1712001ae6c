import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { copyStudy, deleteStudy, getAllStudySummaries, loadStudy, type Storage } from '@qlora-js/hpo';
import { openStorage, STUDY_FILE } from '@qlora-js/finetune/node';
import { importancesOf, type Output } from '@qlora-js/finetune';
import { UsageError } from '../errors';
import { withoutPassword } from '../options/password';
import type { OptionTable, OptionValues } from '../options/spec';
import { TERMINAL_OPTIONS, TRAIN_OPTIONS } from '../options/train-options';
import type { OwnCommand } from '../options/own-command';
import { shortNumber } from '../study/plot';
import { aligned, studyLines } from '../study/show';

const WHERE = 'Where studies are:';

/** Options of `study`. */
export const STUDY_OPTIONS = {
  storage: {
    kind: 'text',
    placeholder: 'url|file',
    default: join(TRAIN_OPTIONS.outputDir.default, STUDY_FILE),
    group: WHERE,
    basic: true,
    help: 'sqlite:///FILE, postgresql://USER:PASSWORD@HOST/DATABASE, or a journal of Optuna',
  },
  toStorage: {
    kind: 'text',
    placeholder: 'url|file',
    default: undefined,
    group: WHERE,
    basic: true,
    help: 'where `copy` writes; left out, the same',
  },
  quiet: TERMINAL_OPTIONS.quiet,
  json: TERMINAL_OPTIONS.json,
} as const satisfies OptionTable;

/** What `study` is told. */
export type StudyValues = OptionValues<typeof STUDY_OPTIONS>;

/** What can be done, and the names that it takes. */
const ACTIONS = { show: [0, 1], list: [0, 0], delete: [1, 1], copy: [1, 2] } as const;

/** Looks at studies, copies and deletes them: `show [NAME]`, `list`, `delete NAME`, `copy NAME [NEW NAME]`. */
export async function study(words: readonly string[], values: StudyValues, output: Output): Promise<void> {
  const [action, ...names] = words;
  if (action === undefined || !Object.hasOwn(ACTIONS, action))
    throw new UsageError('USAGE', `study ${action ?? ''} is nothing it can do`, {
      remedy: `say ${Object.keys(ACTIONS).join(', ')}`,
    });
  const [least, most] = ACTIONS[action as keyof typeof ACTIONS];
  if (names.length < least || names.length > most)
    throw new UsageError(
      'USAGE',
      `study ${action} takes ${least === most ? least : `${least} or ${most}`} names of studies, not ${names.length}`,
    );
  await within(values.storage, true, async (storage) => {
    if (action === 'list') return list(storage, values, output);
    if (action === 'delete') {
      await deleteStudy({ studyName: names[0]!, storage });
      return output.line(`deleted: ${names[0]!}`);
    }
    if (action === 'copy') {
      const [from, to = from!] = names;
      const copy = (toStorage: Storage) =>
        copyStudy({ fromStudyName: from!, fromStorage: storage, toStorage, toStudyName: to });
      await (values.toStorage === undefined ? copy(storage) : within(values.toStorage, false, copy));
      return output.line(`copied: ${from!} as ${to} in ${withoutPassword(values.toStorage ?? values.storage)}`);
    }
    const shown = await loadStudy({
      storage,
      studyName: names[0],
      logger: { info: () => undefined, warn: (line) => output.warn(line) },
    });
    if (!values.json) return studyLines(shown).forEach((line) => output.line(line));
    const importances = importancesOf(shown) ?? {};
    console.log(
      JSON.stringify({ name: shown.name, direction: shown.direction, importances, trials: shown.trialRows() }),
    );
  });
}

/** Runs work with a storage; one that must be there already is not made. */
async function within(word: string, mustBeThere: boolean, work: (storage: Storage) => Promise<void>): Promise<void> {
  const file = /^sqlite:\/\/\/(.+)$/.exec(word)?.[1] ?? (word.includes('://') ? undefined : word);
  if (mustBeThere && file !== undefined && !existsSync(file))
    throw new UsageError('USAGE', `there is no file ${file}`, { value: file, remedy: 'name the storage by --storage' });
  const { storage, close } = await openStorage(word);
  try {
    await work(storage);
  } finally {
    await close();
  }
}

async function list(storage: Storage, { json }: StudyValues, output: Output): Promise<void> {
  const summaries = await getAllStudySummaries({ storage });
  if (json)
    return console.log(
      JSON.stringify(summaries.map(({ bestTrial, ...rest }) => ({ ...rest, bestValue: bestTrial?.value ?? null }))),
    );
  const rows = summaries.map(({ name, directions, nTrials, bestTrial, datetimeStart }) => [
    name,
    directions.join(', '),
    String(nTrials),
    bestTrial === undefined ? '' : shortNumber(bestTrial.value!),
    datetimeStart?.toISOString().slice(0, 19).replace('T', ' ') ?? '',
  ]);
  for (const line of aligned([['study', 'direction', 'trials', 'best', 'started (UTC)'], ...rows])) output.line(line);
}

/** The command, for `qlora`; an example has a study of its own. */
export const STUDY_COMMAND: OwnCommand<StudyValues> = {
  name: 'study',
  description: 'shows a search and its trials (show), lists studies (list), deletes (delete) or copies one (copy)',
  table: STUDY_OPTIONS,
  words: ['<action...>', 'show [NAME], list, delete NAME, or copy NAME [NEW NAME]'],
  run: ({ values, words }, output) => study(words, values, output),
};
