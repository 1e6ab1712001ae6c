import { type Plugin } from 'vite';

/** Parts of tfjs-core that register themselves when they are loaded and that nothing here uses: files of models, optimisers. */
const UNUSED = /@tensorflow\/tfjs-core\/dist\/(?:io|optimizers)\//;

/** Lets the bundler leave out what nothing imports by name. */
export function unusedTfjs(): Plugin {
  return {
    name: 'unused-tfjs',
    apply: 'build',
    transform: (code, id) => (UNUSED.test(id) ? { code, map: null, moduleSideEffects: false } : null),
  };
}
