import { shown } from '@qlora-js/read-budget';
import { HubError } from '../error';
import { checkRelativePath } from '../files/path';

/** Tensor name to shard path, from a `*.index.json` as transformers writes it: `{ metadata, weight_map }`. */
export function readShardIndex(document: unknown, place: string): Map<string, string> {
  const map = isObject(document) ? (document as { weight_map?: unknown }).weight_map : undefined;
  if (!isObject(map)) {
    throw new HubError('CORRUPT_FILE', `${place} has no "weight_map": it is not an index of shards. Fetch it again.`, {
      place,
    });
  }
  const entries = Object.entries(map);
  if (entries.length === 0) throw new HubError('CORRUPT_FILE', `${place} names no tensors. Fetch it again.`, { place });
  for (const [name, path] of entries) {
    try {
      checkRelativePath(path, place);
    } catch {
      throw new HubError('CORRUPT_FILE', `${place}: the shard of ${shown(name)} is ${shown(path)}, refused`, {
        place,
        value: path,
      });
    }
  }
  return new Map(entries as [string, string][]);
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
