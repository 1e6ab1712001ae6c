// The kernels made of register tiles. Compiled a second time, alone, for engines with relaxed SIMD.
export { attention, attentionBackward, attentionBackwardScratchBytes, attentionScratchBytes } from './attention';
export { gemm, gemmScratchBytes } from './gemm';
export { gemm4bit, gemm4bitScratchBytes } from './gemm-4bit';
