import { checkOptions } from '../check-options';
import {
  contains,
  type Distribution,
  type ParamValue,
  type SearchSpace,
  toInternal,
} from '../distribution/distribution';
import { HpoError, shown } from '../errors';
import { type JsonValue } from '../json-value';
import { ownProperty } from '../own-property';
import { RandomState } from '../random/random-state';
import { compareNames } from '../study/compare-names';
import { type StudyView } from '../study/study-view';
import { type FrozenTrial, isFinished } from '../trial/frozen-trial';
import { type Sampler } from './sampler';
import { orderedRecord } from '../ordered-record';

const idKey = 'grid_id';
const spaceKey = 'search_space';
const pointLimit = 1_000_000;

/** Values to try, by parameter. */
export type Grid = Readonly<Record<string, readonly ParamValue[]>>;

/** All combinations, the last name's value changing fastest. */
function pointsOf(grid: Grid): ParamValue[][] {
  const size = Object.values(grid).reduce((product, values) => product * values.length, 1);
  if (size === 0 || size > pointLimit) {
    throw new HpoError(
      'INVALID_ARGUMENT',
      `a grid must have from 1 to ${pointLimit} points, but this one has ${size}`,
      {
        value: size,
      },
    );
  }
  return Object.values(grid).reduce<ParamValue[][]>(
    (points, values) => points.flatMap((point) => values.map((value) => [...point, value])),
    [[]],
  );
}

function sameGrid(a: JsonValue | undefined, b: Grid): boolean {
  if (a === null || typeof a !== 'object' || Array.isArray(a)) return false;
  const names = Object.keys(b);
  if (Object.keys(a).length !== names.length) return false;
  return names.every((name) => {
    const values = ownProperty(a as Readonly<Record<string, JsonValue>>, name);
    if (!Array.isArray(values) || values.length !== b[name]!.length) return false;
    return b[name]!.every((value, i) => value === values[i] || Object.is(value, values[i]));
  });
}

/**
 * Tries every combination of the given values once, in an order that the seed shuffles (0 where it is left out), and
 * then stops the study. Workers on one storage share the grid. Source: optuna.samplers.GridSampler.
 */
export class GridSampler implements Sampler {
  private readonly grid: Grid;
  private readonly names: readonly string[];
  private readonly points: readonly (readonly ParamValue[])[];
  private readonly random: RandomState;

  constructor(grid: Grid, options: { seed?: number } = {}) {
    checkOptions('GridSampler', options, ['seed']);
    this.names = Object.keys(grid).sort(compareNames);
    this.grid = orderedRecord(this.names.map((name) => [name, [...grid[name]!]]));
    this.random = new RandomState(options.seed ?? 0);
    const points = pointsOf(this.grid);
    this.random.shuffle(points);
    this.points = points;
  }

  beforeTrial(study: StudyView, trial: FrozenTrial): void {
    if (Object.hasOwn(trial.systemAttrs, idKey) || Object.hasOwn(trial.systemAttrs, 'fixed_params')) return;
    let point = trial.number;
    if (point >= this.points.length) {
      let open = this.openPoints(study);
      if (open.length === 0) {
        study.logger.warn(`trial ${trial.number} tries a point of the grid again: all have been tried`);
        open = Array.from(this.points, (_, id) => id);
      }
      // Several workers may choose at once; by chance they rarely choose the same.
      point = open[this.random.integer(open.length - 1)]!;
    }
    study.storage.setTrialSystemAttr(trial.id, spaceKey, this.grid);
    study.storage.setTrialSystemAttr(trial.id, idKey, point);
  }

  inferRelativeSearchSpace(): SearchSpace {
    return {};
  }

  sampleRelative(): Readonly<Record<string, ParamValue>> {
    return {};
  }

  sampleIndependent(study: StudyView, trial: FrozenTrial, name: string, distribution: Distribution): ParamValue {
    const id = ownProperty(trial.systemAttrs, idKey);
    const point = typeof id === 'number' ? this.points[id] : undefined;
    if (point === undefined) {
      throw new HpoError('INVALID_ARGUMENT', `trial ${trial.number} was enqueued without ${shown(name)}`, {
        place: name,
        remedy: 'With a grid, enqueue all parameters',
      });
    }
    const column = this.names.indexOf(name);
    if (column < 0) {
      throw new HpoError('INVALID_ARGUMENT', `the grid has no parameter ${shown(name)}, only ${shown(this.names)}`, {
        place: name,
      });
    }
    const value = point[column]!;
    if (!contains(distribution, toInternal(distribution, value, name))) {
      study.logger.warn(
        `the grid's ${shown(name)} = ${shown(value)} is used although it is outside ${shown(distribution)}`,
      );
    }
    return value;
  }

  afterTrial(study: StudyView, trial: FrozenTrial): void {
    const open = this.openPoints(study);
    const isLast = open.length === 1 && open[0] === ownProperty(trial.systemAttrs, idKey);
    if (open.length === 0 || isLast) study.requestStop();
  }

  /** Whether every point has been tried. */
  isExhausted(study: StudyView): boolean {
    return this.openPoints(study).length === 0;
  }

  /** The points that no trial has; where there is none, those that no trial has finished. */
  private openPoints(study: StudyView): number[] {
    const finished = new Set<number>();
    const taken = new Set<number>();
    for (const trial of study.getTrials()) {
      const id = ownProperty(trial.systemAttrs, idKey);
      if (typeof id !== 'number' || !sameGrid(ownProperty(trial.systemAttrs, spaceKey), this.grid)) continue;
      if (isFinished(trial.state)) finished.add(id);
      if (trial.state !== 'WAITING') taken.add(id);
    }
    const without = (ids: Set<number>) => [...this.points.keys()].filter((id) => !ids.has(id));
    const open = without(taken);
    return open.length > 0 ? open : without(finished);
  }
}
