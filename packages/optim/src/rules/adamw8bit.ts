import {
  adamw8bitMaps,
  adamw8bitSteps,
  int32Count,
  type Adamw8bitArithmetic,
  type Adamw8bitMaps,
} from '@qlora-js/kernels';
import type { UpdateRule } from './rule';

/** Elements that share an absmax (bitsandbytes optim/optimizer.py Optimizer2State.init_state). */
const BLOCKSIZE = 256;

/** AdamW with block-wise 8-bit moments; the maps go to the device with the first step. */
export function adamw8bit(arithmetic: Adamw8bitArithmetic): UpdateRule {
  let maps: Adamw8bitMaps | undefined;
  return {
    inOne: true,
    // In the order of the kernel's layout.
    states: ({ size }) => {
      const codes = { dtype: 'int32', shape: [int32Count(size)], bytes: size } as const;
      const absmax = { dtype: 'float32', shape: [Math.ceil(size / BLOCKSIZE)] } as const;
      return [
        { key: 'm', ...codes },
        { key: 'v', ...codes },
        { key: 'mAbsmax', ...absmax },
        { key: 'vAbsmax', ...absmax },
      ];
    },
    update: (entries, step) => {
      maps ??= adamw8bitMaps(arithmetic);
      const steps = entries.map(({ states: [state], ...entry }) => ({ ...entry, state: state! }));
      adamw8bitSteps(steps, maps, step);
    },
    dispose: () => {
      maps?.tables.dispose();
      maps = undefined;
    },
  };
}
