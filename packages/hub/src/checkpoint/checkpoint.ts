import { type StoredTensor, type TensorInfo } from '../tensor';

/** All tensors of a model, whatever files and format they lie in. */
export interface Checkpoint {
  /** Id of the model files it was opened from. */
  readonly id: string;
  readonly format: 'safetensors' | 'pytorch' | 'gguf';
  /** Paths of the weight files, in the order of their first tensor. */
  readonly files: readonly string[];
  /** Entries of a PyTorch pickle that are no tensors and can't be read here; empty for safetensors. */
  readonly others: readonly string[];
  names(): string[];
  has(name: string): boolean;
  /** Throws `HubError` `UNKNOWN_TENSOR`. */
  info(name: string): TensorInfo;
  /** Reads one tensor, and nothing but it, from its file. Throws `HubError` `UNKNOWN_TENSOR`. */
  read(name: string): Promise<StoredTensor>;
}
