import type { Output } from '@qlora-js/finetune';
import type { RunEvent } from './protocol';

/** What a run says, as events. Its bars over the steps are left out: the steps are told one by one. */
export function runOutput(tell: (event: RunEvent) => void): Output {
  return {
    section: () => undefined,
    note: () => undefined,
    line: (text = '') => tell({ kind: 'line', text, warning: false }),
    warn: (text) => tell({ kind: 'line', text, warning: true }),
    bar: (label, total) => ({
      update: (done, note) => {
        if (label === 'load') tell({ kind: 'progress', label: 'reading the weights', done: done / total, note });
      },
      stop: () => undefined,
    }),
  };
}
