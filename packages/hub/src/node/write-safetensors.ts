import { checkBytes, layoutSafetensors, type TensorDescription } from '../safetensors/serialize';
import { type StoredTensor } from '../tensor';
import { writeAtomic, writeFully } from './write-file-atomic';

/** A tensor whose bytes are made when their turn comes, so that a large file never lies in memory whole. */
export interface LazyTensor extends TensorDescription {
  /** Contiguous, row-major, little-endian; asked for once. */
  read(): Promise<Uint8Array> | Uint8Array;
}

/**
 * Writes a safetensors file, byte for byte as Python's library does, one tensor at a time and atomically (see
 * `writeFileAtomic`). Throws `HubError` `INVALID_ARGUMENT` where names, shapes and bytes don't fit, `NOT_WRITABLE`
 * where the system refuses.
 */
export async function writeSafetensors(
  path: string,
  tensors: Iterable<StoredTensor | LazyTensor>,
  metadata?: Readonly<Record<string, string>>,
): Promise<void> {
  const { head, ordered } = layoutSafetensors(tensors, metadata);
  await writeAtomic(path, async (file) => {
    await writeFully(file, head);
    for (const tensor of ordered) {
      const bytes = 'read' in tensor ? await tensor.read() : tensor.bytes;
      checkBytes(tensor, bytes);
      await writeFully(file, bytes);
    }
  });
}
