export * from './errors';
export * from './device/types';
export { Device } from './device/device';
export { formatBytes } from './device/report';
export { openDevice } from './device/open-device';
export { registerCoreGradients } from './tfjs/core-gradients';
export { layTogether, together } from './tfjs/together';
export * from './nn/module';
export * from './nn/parameter';
export * from './nn/layers';
export { HalfTable } from './nn/half-table';
export { tensorFromParts } from './tfjs/parts';
export { randomState, randomWords, type RandomPosition } from './random/dropout-stream';
export { layerNorm, layerNormBranch } from './ops/layer-norm';
export { rmsNorm, rmsNormBranch } from './ops/rms-norm';
export { rotaryQkv, type RotaryOptions } from './ops/rotary';
export { swiglu } from './ops/swiglu';
export { checkpoint } from './engine/checkpoint';
export { normalValues, uniformValues, type RandomStream } from './random/uniform';
export { activation, activationNames, isActivationName, type ActivationName } from './ops/activation';
export { attention, type AttentionOptions } from './ops/attention';
export { addConfusion, confusionSize } from './ops/confusion';
export { updateLossScale, type LossScaleAttributes } from './ops/loss-scale';
export { crossEntropy, type CrossEntropyOptions } from './ops/cross-entropy';
export { packHalf, unpackHalf } from './ops/half';
export { saveActivationsInFloat16 } from './ops/half/save-activations';
export { dropout, dropoutAdd, type DropoutOptions } from './ops/dropout';
export { embedding, tokenEmbedding } from './ops/embedding';
export { gatherRows } from './ops/gather-rows';
export * from './formats/codes';
export * from './formats/dynamic-map';
export * from './ops/gemm';
export * from './ops/blockwise8bit';
export * from './ops/quantize4bit';
export * from './ops/dequantize4bit';
export { matmul4bit, type Matmul4bitOptions } from './ops/matmul4bit';
export {
  forwardWithAdditions,
  loraMatmul4bit,
  type LinearAdditions,
  type LoraMatmul4bitOptions,
  type LoraTerm,
  type Residual,
} from './ops/lora-matmul4bit';
export * from './ops/adamw';
export * from './ops/adamw8bit';
export { clipControl, sumOfSquares, type ClipControlOptions } from './ops/gradient-norm';
export * from './plan';
