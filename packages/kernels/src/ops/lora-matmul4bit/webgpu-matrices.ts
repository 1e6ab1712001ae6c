import { hardwareOf } from '../../webgpu/hardware';
import { hasSubgroupMatrices } from '../../webgpu/capabilities';

/** Bytes of workgroup memory that the largest of LoRA's shaders on subgroup matrices declares. */
export const LORA_MATRIX_BYTES = 32_768;

/** Whether LoRA's thin products run on subgroup matrices: both kinds or neither, since one reads the other's parts. */
export const hasLoraMatrices = (device: GPUDevice): boolean =>
  hasSubgroupMatrices(hardwareOf(device)) && device.limits.maxComputeWorkgroupStorageSize >= LORA_MATRIX_BYTES;
