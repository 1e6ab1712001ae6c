import { shown } from '@qlora-js/read-budget';
import { HubError } from '../error';

/**
 * Throws unless `path` is a plain relative path with `/` between its parts. Paths come from indexes and configs, so
 * one that climbs out of its folder, or that means something else on Windows, is hostile.
 */
export function checkRelativePath(path: unknown, place: string): asserts path is string {
  const plain =
    typeof path === 'string' &&
    path.length <= 1024 &&
    !/[\u0000-\u001f\u007f\\:*?"<>|]/.test(path) &&
    path.split('/').every((part) => part !== '' && part !== '.' && part !== '..');
  if (plain) return;
  throw new HubError(
    'INVALID_ARGUMENT',
    `${place}: ${shown(path)} is not a relative path inside the model (no "..", no leading "/", no drive)`,
    { place, value: path },
  );
}
