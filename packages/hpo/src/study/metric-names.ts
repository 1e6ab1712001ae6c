import { HpoError, shown } from '../errors';
import { type JsonValue } from '../json-value';
import { ownProperty } from '../own-property';

/** System attribute with the names of a study's objectives. Source: optuna.study.study._SYSTEM_ATTR_METRIC_NAMES. */
export const metricNamesKey = 'study:metric_names';

/** The names of a study's objectives; undefined where there are none. */
export function metricNamesOf(systemAttrs: Readonly<Record<string, JsonValue>>): readonly string[] | undefined {
  const names = ownProperty(systemAttrs, metricNamesKey);
  if (!Array.isArray(names) || !names.every((name) => typeof name === 'string')) return undefined;
  return names;
}

/** Names as many as objectives. Throws HpoError `INVALID_ARGUMENT`. */
export function checkedMetricNames(names: readonly string[], objectives: number): readonly string[] {
  if (Array.isArray(names) && names.length === objectives && names.every((name) => typeof name === 'string')) {
    return [...names];
  }
  throw new HpoError(
    'INVALID_ARGUMENT',
    `a study of ${objectives} objective needs as many names, but got ${shown(names)}`,
    {
      place: 'study.setMetricNames',
      value: names,
    },
  );
}
