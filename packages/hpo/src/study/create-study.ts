import { checkOptions } from '../check-options';
import { type AnyParams, type ParamsOf, type SearchSpace } from '../distribution/distribution';
import { HpoError, shown } from '../errors';
import { MedianPruner } from '../pruner/median-pruner';
import { type Pruner } from '../pruner/pruner';
import { randomUuid } from '../random/uuid';
import { type Sampler } from '../sampler/sampler';
import { TPESampler } from '../sampler/tpe/tpe-sampler';
import { InMemoryStorage } from '../storage/in-memory-storage';
import { type Storage } from '../storage/storage';
import { defaultLogger, type Logger } from './logger';
import { Study } from './study';
import { type Direction } from './direction';

export interface LoadStudyOptions<Space extends SearchSpace | undefined = SearchSpace | undefined> {
  /** Left out, the storage's only study. */
  studyName?: string;
  storage: Storage;
  /**
   * Parameters that every trial gets before its objective runs. `trial.params`, `study.bestParams` and `enqueueTrial`
   * then have its names and types; further ones may be suggested in the objective.
   */
  space?: Space;
  /** Default: TPESampler with a random seed. */
  sampler?: Sampler;
  /** Default: MedianPruner. */
  pruner?: Pruner;
  /** Default: warnings to console.warn. */
  logger?: Logger;
}

export interface CreateStudyOptions<Space extends SearchSpace | undefined = SearchSpace | undefined> extends Omit<
  LoadStudyOptions<Space>,
  'storage'
> {
  /** Default: `no-name-` and a UUID. */
  studyName?: string;
  /** Default: minimize. */
  direction?: Direction;
  /** Default: InMemoryStorage. */
  storage?: Storage;
  /** Takes the study of this name where there is one, instead of throwing. */
  loadIfExists?: boolean;
}

/** The type of a study's parameters, by the space that it was given. */
export type StudyParams<Space extends SearchSpace | undefined> = Space extends SearchSpace
  ? ParamsOf<Space>
  : AnyParams;

const loadOptions = ['studyName', 'storage', 'space', 'sampler', 'pruner', 'logger'] as const;

async function studyWith<Params extends object>(id: number, options: LoadStudyOptions): Promise<Study<Params>> {
  await options.storage.watch?.(id);
  const { storage, sampler = new TPESampler(), pruner = new MedianPruner(), logger = defaultLogger } = options;
  return new Study<Params>({ id, storage, sampler, pruner, logger, space: options.space ?? {} });
}

/**
 * Makes a study. Throws HpoError `DUPLICATED_STUDY` where the storage has one of that name and loadIfExists is not set,
 * and `INVALID_ARGUMENT` where it is set but the study's direction is not the one asked for.
 * Source: optuna.create_study.
 */
export async function createStudy<Space extends SearchSpace | undefined = undefined>(
  options: CreateStudyOptions<Space> = {},
): Promise<Study<StudyParams<Space>>> {
  checkOptions('createStudy', options, ['direction', 'loadIfExists', ...loadOptions]);
  const { studyName, direction = 'minimize', storage = new InMemoryStorage(), loadIfExists = false } = options;
  if (direction !== 'minimize' && direction !== 'maximize') {
    throw new HpoError('INVALID_ARGUMENT', `direction must be minimize or maximize, but is ${shown(direction)}`, {
      value: direction,
    });
  }
  const name = studyName ?? `no-name-${randomUuid()}`;
  try {
    return studyWith(await storage.createStudy({ name, directions: [direction] }), { ...options, storage });
  } catch (error) {
    if (!(loadIfExists && HpoError.isInstance(error) && error.code === 'DUPLICATED_STUDY')) throw error;
  }
  const { space, sampler, pruner, logger } = options;
  const study = await loadStudy({ studyName: name, storage, space, sampler, pruner, logger });
  if (options.direction !== undefined && options.direction !== study.direction) {
    throw new HpoError(
      'INVALID_ARGUMENT',
      `study ${shown(name)} is there already and is to ${study.direction}, not to ${options.direction}`,
      { place: name, value: options.direction, remedy: 'Ask for its own direction, or choose another name' },
    );
  }
  return study;
}

/** Opens a study that is in the storage. Throws HpoError `UNKNOWN_STUDY`. Source: optuna.load_study. */
export async function loadStudy<Space extends SearchSpace | undefined = undefined>(
  options: LoadStudyOptions<Space>,
): Promise<Study<StudyParams<Space>>> {
  checkOptions('loadStudy', options, loadOptions);
  const { storage, studyName } = options;
  await storage.refresh();
  const studies = storage.getStudies();
  const found = studyName === undefined ? studies : studies.filter(({ name }) => name === studyName);
  if (found.length !== 1) {
    const names = shown(studies.map(({ name }) => name));
    throw new HpoError(
      'UNKNOWN_STUDY',
      studyName === undefined
        ? `the storage has ${studies.length} studies, and studyName does not say which`
        : `the storage has no study named ${shown(studyName)}`,
      { value: studyName, remedy: `Its studies are ${names}` },
    );
  }
  return studyWith(found[0]!.id, options);
}
