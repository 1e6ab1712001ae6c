import { type ReadBudget, shown } from '@qlora-js/read-budget';
import { HubError } from '../error';
import { type ByteSource } from '../files/byte-source';
import { PickleEnded } from './cursor';
import { pickleLimits } from './limits';
import { unpickle } from './machine';
import { TorchEnvironment } from './torch-environment';
import { PickleDict, PickleList, type PickleValue, typeName } from './values';
import { type TorchArchive } from './zip-checkpoint';

/** MAGIC_NUMBER and PROTOCOL_VERSION in torch/serialization.py. */
const magicNumber = 0x1950a86a20f9469cfc6cn;
const protocolVersion = 1001;
const firstRead = 1 << 18;

/**
 * torch.save's files before torch 1.6 (torch/serialization.py `_legacy_save`): five pickles (magic number, protocol
 * version, system, the object, the storages' keys), then for each key in that order the number of elements as int64
 * and the elements. Those places follow from the pickles, so only the ranges asked for are read.
 */
export async function openLegacyCheckpoint(source: ByteSource, budget: ReadBudget): Promise<TorchArchive> {
  const place = source.name;
  const pickles = new PickleReader(source, budget);
  if ((await pickles.first()) !== magicNumber) throw notLegacy(place);
  const { value: version } = await pickles.next();
  if (version !== protocolVersion) throw corrupt(place, `it has protocol version ${shown(version)}, not 1001`);
  const { value: system } = await pickles.next();
  const littleEndian = system instanceof PickleDict ? system.entries.get('little_endian') : undefined;
  if (littleEndian !== true) {
    throw new HubError('UNSUPPORTED', `${place} was not written on a little-endian machine; only those are read`, {
      place,
    });
  }
  const { value, environment } = await pickles.next();
  const { value: keys } = await pickles.next();
  const offsets = layStorages(keys, environment, pickles.at, source);
  return {
    value,
    storageOffset: async (key) => {
      const offset = offsets.get(key)!;
      const bytes = await source.read(offset - 8, 8);
      const said = new DataView(bytes.buffer, bytes.byteOffset, 8).getBigInt64(0, true);
      const expected = environment.storages.get(key)!.rootElements;
      if (said !== BigInt(expected)) {
        throw corrupt(place, `storage ${shown(key)} says to have ${said} elements, its tensors ${expected}`);
      }
      return offset;
    },
  };
}

/** Where each storage's elements start, from the order of the keys; they fill the file to its end. */
function layStorages(
  keys: PickleValue,
  environment: TorchEnvironment,
  start: number,
  source: ByteSource,
): Map<string, number> {
  const place = source.name;
  if (!(keys instanceof PickleList)) throw corrupt(place, `its storage keys are ${typeName(keys)}, not a list`);
  const offsets = new Map<string, number>();
  let at = start;
  for (const key of keys.items) {
    const storage = typeof key === 'string' ? environment.storages.get(key) : undefined;
    if (storage === undefined) throw corrupt(place, `the storage ${shown(key)} belongs to no tensor`);
    if (offsets.has(storage.key)) throw corrupt(place, `the storage ${shown(key)} comes twice`);
    offsets.set(storage.key, at + 8);
    at += 8 + storage.rootElements * storage.itemBytes;
  }
  for (const key of environment.storages.keys()) {
    if (!offsets.has(key)) throw corrupt(place, `the storage ${shown(key)} is missing`);
  }
  if (at > source.size) {
    throw new HubError(
      'TRUNCATED_FILE',
      `${place}: its storages end at byte ${at}, but the file has ${source.size}. Fetch it again.`,
      { place, value: source.size },
    );
  }
  return offsets;
}

/** Reads pickles that follow each other and say their length nowhere, with more of the file as they need it. */
class PickleReader {
  /** Where the next pickle starts. */
  at = 0;
  private bytes: Uint8Array = new Uint8Array(0);

  constructor(
    private readonly source: ByteSource,
    private readonly budget: ReadBudget,
  ) {}

  /** The first pickle's value, which tells a file of torch.save from any other. */
  async first(): Promise<PickleValue> {
    try {
      return (await this.next()).value;
    } catch (error) {
      if (HubError.isInstance(error) && ['CORRUPT_FILE', 'UNSAFE_PICKLE'].includes(error.code)) {
        throw notLegacy(this.source.name);
      }
      throw error;
    }
  }

  async next(): Promise<{ value: PickleValue; environment: TorchEnvironment }> {
    const limit = Math.min(this.source.size, this.at + pickleLimits.bytes);
    for (;;) {
      const account = this.budget.document(this.source.name, this.bytes.length - this.at);
      try {
        const environment = new TorchEnvironment(account);
        const { value, end } = unpickle(this.bytes, this.at, environment);
        this.at = end;
        return { value, environment };
      } catch (error) {
        if (!(error instanceof PickleEnded) || this.bytes.length >= limit) throw error;
        account.release();
      }
      const length = Math.min(limit, Math.max(firstRead, 4 * this.bytes.length));
      this.bytes = await this.source.read(0, length);
    }
  }
}

function notLegacy(place: string): HubError {
  return new HubError(
    'CORRUPT_FILE',
    `${place} is neither a zip nor a legacy file of torch.save: its first bytes are not the magic number. ` +
      'A Git LFS pointer or an error page may lie there: fetch it again.',
    { place },
  );
}

function corrupt(place: string, problem: string): HubError {
  return new HubError('CORRUPT_FILE', `${place} is a damaged file of torch.save: ${problem}. Fetch it again.`, {
    place,
  });
}
