import { type ReadBudget, shown } from '@qlora-js/read-budget';
import { HubError, readBudget } from '../error';
import { type ByteSource } from '../files/byte-source';
import { type OpenOptions, unknownTensor } from '../safetensors/open';
import { type TensorFile } from '../tensor';
import { openLegacyCheckpoint } from './legacy-checkpoint';
import { stateDict } from './torch-environment';
import { gather, type TorchTensor } from './torch-tensor';
import { startsAsZip } from './zip';
import { openZipCheckpoint } from './zip-checkpoint';

/** An opened torch.save file: the pickle is in memory, tensors are read one by one. */
export interface PyTorchCheckpointFile extends TensorFile {
  /** Names of entries at the top level that are no tensors (numbers, nested dicts, ...) and can't be read here. */
  readonly others: readonly string[];
}

/**
 * Opens a state dict that torch.save wrote, as zip (torch 1.6 and later) or in the legacy format. Nothing in the pickle
 * runs: a small machine builds plain data from an allow-list of globals (OrderedDict, tensors, parameters, storages,
 * sizes), anything else is a `HubError` `UNSAFE_PICKLE` that names it. Views, strides and shared storages come out as
 * contiguous row-major tensors, each read from its own range of the file.
 */
export async function openPyTorchCheckpoint(
  source: ByteSource,
  options: OpenOptions = {},
): Promise<PyTorchCheckpointFile> {
  return openPyTorchCheckpointWithin(source, readBudget(options.limits));
}

/** The same, within a budget that other files share. */
export async function openPyTorchCheckpointWithin(
  source: ByteSource,
  budget: ReadBudget,
): Promise<PyTorchCheckpointFile> {
  const place = source.name;
  const archive = (await startsAsZip(source))
    ? await openZipCheckpoint(source, budget)
    : await openLegacyCheckpoint(source, budget);
  const { tensors, others } = stateDict(archive.value, place);
  for (const [name, tensor] of tensors) {
    // An expanded tensor repeats its storage; in a hostile file it would repeat without end.
    if (tensor.byteLength <= source.size) continue;
    throw new HubError(
      'CORRUPT_FILE',
      `${place}: tensor ${shown(name)} of shape ${shown(tensor.shape)} is larger than the whole file`,
      { place, value: name },
    );
  }
  const describe = ({ dtype, shape, byteLength }: TorchTensor) => ({ dtype, shape, byteLength });
  return {
    name: place,
    others,
    tensors: new Map([...tensors].map(([name, tensor]) => [name, describe(tensor)])),
    read: async (name) => {
      const tensor = tensors.get(name);
      if (tensor === undefined) throw unknownTensor(place, name);
      const { storage, dtype, shape, offset } = tensor;
      if (tensor.elements === 0) return { name, dtype, shape, bytes: new Uint8Array(0) };
      const start = (await archive.storageOffset(storage.key)) + (storage.start + offset) * storage.itemBytes;
      const span = await source.read(start, tensor.span * storage.itemBytes);
      return { name, dtype, shape, bytes: tensor.contiguous ? span : gather(tensor, span) };
    },
  };
}
