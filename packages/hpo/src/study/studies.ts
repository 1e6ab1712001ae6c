import { checkOptions } from '../check-options';
import { HpoError, shown } from '../errors';
import { type JsonValue } from '../json-value';
import { type FrozenStudy, type Storage } from '../storage/storage';
import { type FrozenTrial } from '../trial/frozen-trial';
import { type Direction } from './direction';

/** A study as a list of studies shows it. Source: optuna.study.StudySummary. */
export interface StudySummary {
  readonly id: number;
  readonly name: string;
  readonly directions: readonly Direction[];
  /** The completed trial with the best value, constraints aside; undefined where none has completed, or for several objectives. */
  readonly bestTrial: FrozenTrial | undefined;
  readonly userAttrs: Readonly<Record<string, JsonValue>>;
  readonly systemAttrs: Readonly<Record<string, JsonValue>>;
  readonly nTrials: number;
  /** When its first trial started. */
  readonly datetimeStart: Date | undefined;
}

async function studyNamed(storage: Storage, name: string): Promise<FrozenStudy> {
  await storage.refresh();
  const studies = storage.getStudies();
  const found = studies.find((study) => study.name === name);
  if (found !== undefined) return found;
  throw new HpoError('UNKNOWN_STUDY', `the storage has no study named ${shown(name)}`, {
    place: name,
    value: name,
    remedy: `Its studies are ${shown(studies.map((study) => study.name))}`,
  });
}

/** Takes a study and its trials out of a storage. Throws HpoError `UNKNOWN_STUDY`. Source: optuna.delete_study. */
export async function deleteStudy(options: { studyName: string; storage: Storage }): Promise<void> {
  checkOptions('deleteStudy', options, ['studyName', 'storage']);
  const { studyName, storage } = options;
  await storage.deleteStudy((await studyNamed(storage, studyName)).id);
}

/** Which study goes where. */
export interface CopyStudyOptions {
  fromStudyName: string;
  fromStorage: Storage;
  /** May be the same one, under another name. */
  toStorage: Storage;
  /** Default: the same name. */
  toStudyName?: string;
}

/**
 * Copies a study with its attributes and trials, as they are at this moment. One under way is copied as WAITING, to be
 * gone on with: its worker is at the original, and nobody would ever end the copy.
 * Throws HpoError `UNKNOWN_STUDY`, `DUPLICATED_STUDY`. Source: optuna.copy_study, which copies it as RUNNING.
 */
export async function copyStudy(options: CopyStudyOptions): Promise<void> {
  checkOptions('copyStudy', options, ['fromStudyName', 'fromStorage', 'toStorage', 'toStudyName']);
  const { fromStudyName, fromStorage, toStorage, toStudyName = fromStudyName } = options;
  const { id } = await studyNamed(fromStorage, fromStudyName);
  await fromStorage.watch?.(id);
  const { directions, userAttrs, systemAttrs } = fromStorage.getStudy(id);
  const trials = fromStorage.getTrials(id);
  const copy = await toStorage.createStudy({ name: toStudyName, directions });
  for (const [key, value] of Object.entries(systemAttrs)) await toStorage.setStudySystemAttr(copy, key, value);
  for (const [key, value] of Object.entries(userAttrs)) await toStorage.setStudyUserAttr(copy, key, value);
  for (const { id: _id, number: _number, ...template } of trials)
    await toStorage.createTrial(copy, template.state === 'RUNNING' ? { ...template, state: 'WAITING' } : template);
}

/** Names of a storage's studies, in the order in which they were made. Source: optuna.get_all_study_names. */
export async function getAllStudyNames(storage: Storage): Promise<string[]> {
  await storage.refresh();
  return storage.getStudies().map(({ name }) => name);
}

function bestOf(
  trials: readonly FrozenTrial[],
  [direction, ...further]: readonly Direction[],
): FrozenTrial | undefined {
  if (further.length > 0) return undefined;
  const sign = direction === 'maximize' ? -1 : 1;
  return trials
    .filter(({ state, value }) => state === 'COMPLETE' && value !== undefined)
    .reduce<FrozenTrial | undefined>(
      (best, trial) => (best === undefined || sign * trial.value! < sign * best.value! ? trial : best),
      undefined,
    );
}

/** What is known of each of a storage's studies. Source: optuna.get_all_study_summaries. */
export async function getAllStudySummaries(options: {
  storage: Storage;
  /** Default: true. */
  includeBestTrial?: boolean;
}): Promise<StudySummary[]> {
  checkOptions('getAllStudySummaries', options, ['storage', 'includeBestTrial']);
  const { storage, includeBestTrial = true } = options;
  await storage.refresh();
  const summaries: StudySummary[] = [];
  for (const { id } of storage.getStudies()) {
    await storage.watch?.(id);
    const { name, directions, userAttrs, systemAttrs } = storage.getStudy(id);
    const trials = storage.getTrials(id);
    const starts = trials.flatMap(({ datetimeStart }) => datetimeStart?.getTime() ?? []);
    summaries.push({
      id,
      name,
      directions,
      bestTrial: includeBestTrial ? bestOf(trials, directions) : undefined,
      userAttrs,
      systemAttrs,
      nTrials: trials.length,
      datetimeStart: starts.length === 0 ? undefined : new Date(starts.reduce((a, b) => Math.min(a, b))),
    });
  }
  return summaries;
}
