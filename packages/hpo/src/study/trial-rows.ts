import { HpoError, shown } from '../errors';
import { type JsonValue } from '../json-value';
import { type FrozenTrial } from '../trial/frozen-trial';
import { compareNames } from './compare-names';

/** What a trial's row can tell. */
export type TrialColumn =
  | 'number'
  | 'id'
  | 'value'
  | 'datetime_start'
  | 'datetime_complete'
  | 'duration'
  | 'params'
  | 'user_attrs'
  | 'system_attrs'
  | 'state';

/** A cell: null where a trial has nothing of the column; a duration is in milliseconds. */
export type TrialCell = JsonValue | Date;
export type TrialRow = Readonly<Record<string, TrialCell>>;

/** All columns but ids and system attributes. Source: optuna.Study.trials_dataframe. */
export const defaultColumns: readonly TrialColumn[] = [
  'number', 'value', 'datetime_start', 'datetime_complete', 'duration', 'params', 'user_attrs', 'state',
]; // prettier-ignore

function cellsOf(trial: FrozenTrial, column: TrialColumn): Readonly<Record<string, TrialCell>> | TrialCell {
  const { datetimeStart: start, datetimeComplete: complete } = trial;
  switch (column) {
    case 'number':
    case 'id':
    case 'state':
      return trial[column];
    case 'value':
      return trial.value ?? null;
    case 'datetime_start':
      return start ?? null;
    case 'datetime_complete':
      return complete ?? null;
    case 'duration':
      return start === undefined || complete === undefined ? null : complete.getTime() - start.getTime();
    case 'params':
      return trial.params;
    case 'user_attrs':
      return trial.userAttrs;
    case 'system_attrs':
      return trial.systemAttrs;
    default:
      throw new HpoError('INVALID_ARGUMENT', `a row of a trial has no column ${shown(column)}`, {
        place: 'study.trialRows',
        value: column,
      });
  }
}

const nested: readonly TrialColumn[] = ['params', 'user_attrs', 'system_attrs'];

/** One row a trial, with the columns in the order of `attrs`, those of one attribute by name. */
export function trialRows(
  trials: readonly FrozenTrial[],
  { attrs, metricName }: { attrs: readonly TrialColumn[]; metricName: string | undefined },
): readonly TrialRow[] {
  const looks = trials.map((trial) => attrs.map((column) => cellsOf(trial, column)));
  const columns = attrs.flatMap((column, place) => {
    if (!nested.includes(column)) {
      const name = column === 'value' && metricName !== undefined ? `value_${metricName}` : column;
      return [{ name, cell: (look: readonly unknown[]) => look[place] as TrialCell }];
    }
    const names = new Set(looks.flatMap((look) => Object.keys(look[place] as object)));
    return [...names].sort(compareNames).map((name) => ({
      name: `${column}_${name}`,
      cell: (look: readonly unknown[]) => {
        const its = look[place] as Readonly<Record<string, TrialCell>>;
        return Object.hasOwn(its, name) ? its[name]! : null;
      },
    }));
  });
  return looks.map((look) => Object.fromEntries(columns.map(({ name, cell }) => [name, cell(look)])));
}
