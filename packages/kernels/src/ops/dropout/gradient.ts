import { clone } from '@tensorflow/tfjs-core';
import type { Op, OpGradient } from '../../engine/op';
import type { DropoutAddInputs, DropoutAttributes, DropoutInputs } from './types';

type DropoutOp = () => Op<DropoutInputs, DropoutAttributes>;

/** The mask is drawn again from the same counter, so dropout is its own backward pass. */
export const dropoutGradient = (dropout: DropoutOp): OpGradient<DropoutInputs, DropoutAttributes> => ({
  saveInputs: ['random'],
  backward: ([dy], [random], attributes) => ({ x: () => dropout()({ x: dy!, random: random! }, attributes)[0]! }),
});

export const dropoutAddGradient = (dropout: DropoutOp): OpGradient<DropoutAddInputs, DropoutAttributes> => ({
  saveInputs: ['random'],
  backward: ([dy], [random], attributes) => ({
    x: () => dropout()({ x: dy!, random: random! }, attributes)[0]!,
    residual: () => clone(dy!),
  }),
});
