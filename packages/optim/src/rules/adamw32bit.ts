import { adamwStep } from '@qlora-js/kernels';
import type { UpdateRule } from './rule';

/** AdamW with moments in float32. */
export const adamw32bit: UpdateRule = {
  inOne: false,
  states: ({ shape }) => [
    { key: 'm', dtype: 'float32', shape },
    { key: 'v', dtype: 'float32', shape },
  ],
  update: (entries, step) => {
    for (const { parameter, gradient, states, attributes } of entries) {
      const [m, v] = states;
      adamwStep(parameter, gradient, { m: m!, v: v! }, step, attributes);
    }
  },
  dispose: () => undefined,
};
