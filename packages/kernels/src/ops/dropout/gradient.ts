import { clone } from '@tensorflow/tfjs-core';
import type { Op, OpGradient } from '../../engine/op';
import type { DropoutAddInputs, DropoutAttributes, DropoutInputs } from './types';

type DropoutOp = () => Op<DropoutInputs, DropoutAttributes>;

/** The mask is drawn again from the same counter, so dropout is its own backward pass. */
export const dropoutGradient = (dropout: DropoutOp): OpGradient<DropoutInputs, DropoutAttributes> => ({
  saves: { inputs: ['random'] },
  backward: ({ dy, inputs: { random }, attributes }) => ({ x: () => dropout()({ x: dy, random }, attributes) }),
});

export const dropoutAddGradient = (dropout: DropoutOp): OpGradient<DropoutAddInputs, DropoutAttributes> => ({
  saves: { inputs: ['random'] },
  backward: ({ dy, inputs: { random }, attributes }) => ({
    x: () => dropout()({ x: dy, random }, attributes),
    residual: () => clone(dy),
  }),
});
