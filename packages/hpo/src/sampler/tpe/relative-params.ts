import { type ParamValue } from '../../distribution/distribution';
import { type JsonValue } from '../../json-value';
import { ownProperty } from '../../own-property';
import { parsePythonJson, pythonJson } from '../../python-json';
import { type Storage } from '../../storage/storage';
import { type FrozenTrial } from '../../trial/frozen-trial';

const key = 'tpe:relative_params';
/** A system attribute's length is limited in Optuna's relational storages; longer text goes in several. */
const chunkLength = 2045;

/** Tells the other workers what a running trial is about to use. Source: optuna's TPESampler.sample_relative. */
export function shareRelativeParams(
  storage: Storage,
  trialId: number,
  params: Readonly<Record<string, ParamValue>>,
): void {
  const text = pythonJson(params);
  for (let i = 0; i * chunkLength < text.length; i++) {
    storage.setTrialSystemAttr(trialId, `${key}:${i}`, text.slice(i * chunkLength, (i + 1) * chunkLength));
  }
}

/** A running trial's parameters, with those it has announced but not yet asked for. */
export function relativeParamsOf(trial: FrozenTrial): Readonly<Record<string, JsonValue>> {
  let text = '';
  for (let i = 0; ; i++) {
    const chunk = ownProperty(trial.systemAttrs, `${key}:${i}`);
    if (typeof chunk !== 'string' || chunk === '') break;
    text += chunk;
  }
  if (text === '') return trial.params;
  let announced: JsonValue;
  try {
    announced = parsePythonJson(text);
  } catch {
    // Another worker has written only some of the chunks so far.
    return trial.params;
  }
  if (announced === null || typeof announced !== 'object' || Array.isArray(announced)) return trial.params;
  return { ...(announced as Readonly<Record<string, JsonValue>>), ...trial.params };
}
