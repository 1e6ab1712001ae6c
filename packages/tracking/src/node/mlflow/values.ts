import { type JsonValue } from '../../json-safe';

/** A metric as MLflow's log-batch takes it; protobuf's JSON has NaN and infinities as texts. */
export interface MlflowMetric {
  readonly key: string;
  readonly value: number | 'NaN' | 'Infinity' | '-Infinity';
  /** Milliseconds since 1970. */
  readonly timestamp: number;
  readonly step: number;
}

/** mlflow/utils/validation.py: MAX_ENTITY_KEY_LENGTH, MAX_PARAM_VAL_LENGTH. */
const LONGEST_KEY = 250;
const LONGEST_PARAM = 6000;

/** A name as MLflow takes it: letters, digits, underscores, hyphens, dots, spaces, colons and slashes. */
export function metricName(name: string): string {
  const safe = name.replaceAll(/[^\p{L}\p{N}_\-. :/]/gu, '_').replaceAll(/(^|\/)\.{1,2}(?=\/|$)/g, '$1_');
  return (
    safe
      .replaceAll(/\/{2,}/g, '/')
      .replaceAll(/^\/|\/$/g, '')
      .slice(0, LONGEST_KEY) || '_'
  );
}

/** A config as params: objects by dots, anything that is no plain value as JSON, long values cut. */
export function paramsOf(config: Readonly<Record<string, JsonValue>>): { key: string; value: string }[] {
  const params = new Map<string, string>();
  const add = (prefix: string, values: Readonly<Record<string, JsonValue>>): void => {
    for (const [key, value] of Object.entries(values)) {
      const name = prefix === '' ? key : `${prefix}.${key}`;
      if (typeof value === 'object' && value !== null && !Array.isArray(value)) add(name, value);
      else
        params.set(
          metricName(name),
          (typeof value === 'string' ? value : JSON.stringify(value)).slice(0, LONGEST_PARAM),
        );
    }
  };
  add('', config);
  return [...params].map(([key, value]) => ({ key, value }));
}
