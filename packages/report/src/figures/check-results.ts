import { ReportError } from '../errors';
import { type RunResults } from '../input';

/**
 * Checks what may come from a file: the shapes that figures are made of.
 *
 * @throws ReportError INVALID_RESULTS that names the place
 */
export function checkResults(results: RunResults): void {
  const { description, test, earlier, saved, search } = results as Record<string, unknown>;
  const need = (holds: boolean, place: string, what: string): void => {
    if (!holds) throw new ReportError('INVALID_RESULTS', `it is not ${what}`, { place: `results.${place}` });
  };
  if (description !== undefined) {
    need(isObject(description) && Object.values(description).every(isPlain), 'description', 'objects of plain values');
  }
  if (test !== undefined) {
    need(isObject(test), 'test', 'an object');
    const { labels, truth, predicted, confidence, texts } = test as Record<string, unknown>;
    need(isListOf(labels, 'string'), 'test.labels', 'a list of texts');
    need(isListOf(truth, 'number'), 'test.truth', 'a list of numbers');
    need(isListOf(predicted, 'number'), 'test.predicted', 'a list of numbers');
    need(confidence === undefined || isListOf(confidence, 'number'), 'test.confidence', 'a list of numbers');
    need(texts === undefined || isListOf(texts, 'string'), 'test.texts', 'a list of texts');
  }
  if (earlier !== undefined) {
    need(isObject(earlier) && typeof earlier['name'] === 'string', 'earlier', 'an object with a name');
    const { figures } = earlier as Record<string, unknown>;
    need(isObject(figures) && Object.values(figures).every(isNumberOrNull), 'earlier.figures', 'numbers by name');
  }
  if (saved !== undefined) {
    need(isObject(saved) && typeof saved['folder'] === 'string', 'saved', 'an object with a folder');
    const isFile = (file: unknown): boolean =>
      isObject(file) && typeof file['name'] === 'string' && Number.isSafeInteger(file['size']);
    need(isListWhere((saved as Record<string, unknown>)['files'], isFile), 'saved.files', 'a list of names and sizes');
  }
  if (search !== undefined) {
    need(isObject(search), 'search', 'an object');
    const { name, objective, direction, trials } = search as Record<string, unknown>;
    need(typeof name === 'string' && typeof objective === 'string', 'search', 'named, with an objective');
    need(direction === 'maximize' || direction === 'minimize', 'search.direction', 'maximize or minimize');
    need(isListWhere(trials, isTrial), 'search.trials', 'a list of trials');
  }
}

function isTrial(trial: unknown): boolean {
  if (!isObject(trial) || !Number.isSafeInteger(trial['number']) || typeof trial['state'] !== 'string') return false;
  const { intermediate, value, params } = trial;
  const isReport = (report: unknown): boolean =>
    isObject(report) && typeof report['step'] === 'number' && typeof report['value'] === 'number';
  return (
    isNumberOrNull(value) && isPlain(params) && (intermediate === undefined || isListWhere(intermediate, isReport))
  );
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isPlain(value: unknown): boolean {
  return isObject(value) && Object.values(value).every((item) => item === null || typeof item !== 'object');
}

function isNumberOrNull(value: unknown): boolean {
  return value === null || typeof value === 'number';
}

function isListOf(value: unknown, type: 'string' | 'number'): boolean {
  return isListWhere(value, (item) => typeof item === type);
}

function isListWhere(value: unknown, holds: (item: unknown) => boolean): boolean {
  return Array.isArray(value) && value.every(holds);
}
