export { HubError, type HubErrorCode, type HubErrorDetails } from './error';
export { type SafetensorsDtype } from './dtype/dtypes';
export { type StoredTensor, type TensorFile, type TensorInfo } from './tensor';
export { blobSource, bufferSource, type ByteSource } from './files/byte-source';
export { openSafetensors, type SafetensorsFile } from './safetensors/open';
export { serializeSafetensors } from './safetensors/serialize';
export { bfloat16ToFloat32, float32ToBfloat16 } from './dtype/bfloat16';
export { float16ToFloat32, float32ToFloat16 } from './dtype/float16';
export { toFloat32 } from './dtype/to-float32';
