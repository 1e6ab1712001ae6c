export { HubError, type HubErrorCode, type HubErrorDetails } from './error';
export { type SafetensorsDtype } from './dtype/dtypes';
export { type StoredTensor, type TensorFile, type TensorInfo } from './tensor';
export { blobSource, bufferSource, type ByteSource } from './files/byte-source';
export { openSafetensors, type SafetensorsFile } from './safetensors/open';
export { serializeSafetensors } from './safetensors/serialize';
