import { keepActivations } from '../../engine/kept-activations';
import { packHalf, unpackHalf } from '.';

/**
 * Runs `forward` so that the activations its ops save for their backward passes wait there in float16, as they do under
 * torch.autocast: half the memory between the two passes, and gradients that differ by a rounding of 2^-11 of those
 * activations. What a layer norm made isn't kept but computed again. Everything is still computed as before, and what is
 * not as large as a batch of rows, such as weights, statistics and LoRA's inner products, stays as it is.
 *
 * Concerns `attention`, `layerNorm`, `activation` and the fused `loraMatmul4bit`; its largest effect is on webgpu, where
 * other layers save nothing large.
 */
export function saveActivationsInFloat16<Result>(forward: () => Result): Result {
  return keepActivations({ pack: packHalf, unpack: unpackHalf }, forward);
}
