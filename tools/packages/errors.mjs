// One shape of error class everywhere, in what the packages export as built.
import { entriesOf } from './workspace.mjs';

/** Thrown by a caller's own function to say something that is no failure: Optuna's TrialPruned. */
const NO_ERRORS = new Set(['TrialPruned']);

export async function checkErrors({ packages, report }) {
  for (const item of packages) {
    const classes = new Map();
    for (const entry of entriesOf(item)) {
      const path = item.manifest.exports[`.${entry.slice(item.manifest.name.length)}`].import.default;
      const exported = await import(new URL(path, `file://${item.path}/`).href);
      for (const [name, value] of Object.entries(exported)) {
        if (typeof value === 'function' && value.prototype instanceof Error && !NO_ERRORS.has(name))
          classes.set(name, value);
      }
    }
    const names = [...classes.keys()];
    // A package that throws nothing of its own needs none.
    report(`${item.name} error class`, classes.size < 2 ? '' : `exports ${names.join(', ')}`);
    for (const [name, ErrorClass] of classes) {
      report(`${name} shape`, problemOf(name, ErrorClass, item.manifest.name));
    }
  }
}

function problemOf(name, ErrorClass, packageName) {
  const error = new ErrorClass('SOME_CODE', 'what to do');
  if (error.name !== name) return `is called ${error.name}`;
  if (error.code !== 'SOME_CODE') return 'has no code';
  if (!('value' in error)) return 'has no value';
  if (typeof ErrorClass.isInstance !== 'function') return 'has no isInstance';
  const marked = Object.assign(new Error(), { [Symbol.for(`${packageName}/${name}`)]: true });
  if (!ErrorClass.isInstance(error) || !ErrorClass.isInstance(marked)) return 'isInstance does not know its own';
  return ErrorClass.isInstance(new Error('x')) ? 'isInstance takes any error' : '';
}
