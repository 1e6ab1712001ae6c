import { type SafetensorsDtype } from './dtype/dtypes';

/** What a tensor is, without its bytes. */
export interface TensorInfo {
  readonly dtype: SafetensorsDtype;
  readonly shape: readonly number[];
  /** Bytes of the contiguous, row-major tensor. */
  readonly byteLength: number;
}

/** A tensor as files hold it: contiguous, row-major, little-endian bytes. */
export interface StoredTensor {
  readonly name: string;
  readonly dtype: SafetensorsDtype;
  readonly shape: readonly number[];
  /** May be a view on memory the source keeps, at any alignment: copy before writing to it. */
  readonly bytes: Uint8Array;
}

/** A file of named tensors, opened: the directory is in memory, the tensors are read one by one. */
export interface TensorFile {
  /** Name of the source. */
  readonly name: string;
  readonly tensors: ReadonlyMap<string, TensorInfo>;
  /** Throws `HubError` `UNKNOWN_TENSOR` where the file has no tensor of that name. */
  read(name: string): Promise<StoredTensor>;
}
