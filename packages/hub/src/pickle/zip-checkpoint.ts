import { type ReadBudget, shown } from '@qlora-js/read-budget';
import { HubError } from '../error';
import { type ByteSource } from '../files/byte-source';
import { pickleLimits } from './limits';
import { unpickle } from './machine';
import { TorchEnvironment } from './torch-environment';
import { type PickleValue } from './values';
import { readZipDirectory, type ZipEntry, zipDataOffset } from './zip';

/** A pickle's value, and where in the file a storage's bytes start. */
export interface TorchArchive {
  value: PickleValue;
  /** First byte of the storage of that key; checks what the file says of it on the way. */
  storageOffset(key: string): Promise<number>;
}

/**
 * torch.save's zip files (torch 1.6 and later; torch/serialization.py `_save`): NAME/data.pkl, NAME/data/KEY for each
 * storage, NAME/byteorder.
 */
export async function openZipCheckpoint(source: ByteSource, budget: ReadBudget): Promise<TorchArchive> {
  const place = source.name;
  const entries = await readZipDirectory(source, budget);
  const pickles = [...entries.keys()].filter((name) => /^[^/]+\/data\.pkl$/.test(name));
  const pickleName = pickles[0];
  if (pickleName === undefined) {
    throw new HubError('UNSUPPORTED', `${place} is a zip archive, but not one of torch.save: it has no data.pkl`, {
      place,
    });
  }
  if (pickles.length > 1) {
    throw new HubError(
      'UNSUPPORTED',
      `${place} is a zip archive of ${pickles.length} checkpoints (${shown(pickles)}), so it is not clear which one is ` +
        'meant. Save each in a file of its own with torch.save.',
      { place, value: pickles },
    );
  }
  const folder = pickleName.slice(0, -'data.pkl'.length);
  if (entries.has(`${folder}constants.pkl`)) {
    throw new HubError(
      'UNSUPPORTED',
      `${place} is TorchScript, which is a program. In Python, save the module's state_dict() with torch.save.`,
      { place },
    );
  }
  const order = entries.get(`${folder}byteorder`);
  if (order !== undefined) {
    const text = new TextDecoder().decode(await readEntry(source, order, 16));
    if (text !== 'little') {
      throw new HubError('UNSUPPORTED', `${place} has the byte order ${shown(text)}; only little is read`, { place });
    }
  }
  const pickle = entries.get(pickleName)!;
  const bytes = await readEntry(source, pickle, pickleLimits.bytes);
  const environment = new TorchEnvironment(budget.document(place, pickle.size));
  const { value } = unpickle(bytes, 0, environment);
  for (const storage of environment.storages.values()) {
    const entry = entries.get(`${folder}data/${storage.key}`);
    const expected = storage.rootElements * storage.itemBytes;
    if (entry?.size === expected) continue;
    throw new HubError(
      'CORRUPT_FILE',
      `${place}: storage ${shown(storage.key)} should have ${expected} bytes, but has ${entry?.size ?? 'no entry'}. ` +
        'Fetch the file again.',
      { place, value: storage.key },
    );
  }
  const offsets = new Map<string, Promise<number>>();
  return {
    value,
    storageOffset: (key) => {
      const known = offsets.get(key) ?? zipDataOffset(source, entries.get(`${folder}data/${key}`)!);
      offsets.set(key, known);
      // A read that failed (a broken connection) may be tried again.
      known.catch(() => offsets.delete(key));
      return known;
    },
  };
}

async function readEntry(source: ByteSource, entry: ZipEntry, limit: number): Promise<Uint8Array> {
  if (entry.size > limit) {
    throw new HubError('CORRUPT_FILE', `${source.name}: ${shown(entry.name)} has ${entry.size} bytes, over ${limit}`, {
      place: source.name,
    });
  }
  return source.read(await zipDataOffset(source, entry), entry.size);
}
