// One shape of error class everywhere, in what the packages export as built.
import { entriesOf } from './workspace.mjs';

export async function checkErrors({ packages, report }) {
  for (const item of packages) {
    const classes = new Map();
    for (const entry of entriesOf(item)) {
      const path = item.manifest.exports[`.${entry.slice(item.manifest.name.length)}`].import.default;
      const exported = await import(new URL(path, `file://${item.path}/`).href);
      for (const [name, value] of Object.entries(exported)) {
        if (typeof value === 'function' && value.prototype instanceof Error) classes.set(name, value);
      }
    }
    report(`${item.name} error class`, classes.size === 1 ? '' : `exports ${[...classes.keys()].join(', ') || 'none'}`);
    for (const [name, ErrorClass] of classes) {
      report(`${name} shape`, problemOf(name, ErrorClass, item.manifest.name));
    }
  }
}

function problemOf(name, ErrorClass, packageName) {
  const error = new ErrorClass('SOME_CODE', 'what to do', { value: 3, place: 'here', cause: 'before' });
  const found = {
    name: error.name,
    code: error.code,
    message: error.message,
    value: error.value,
    place: error.place,
    cause: error.cause,
  };
  const wanted = { name, code: 'SOME_CODE', message: 'what to do', value: 3, place: 'here', cause: 'before' };
  if (JSON.stringify(found) !== JSON.stringify(wanted)) return `is ${JSON.stringify(found)}`;
  if (typeof ErrorClass.isInstance !== 'function') return 'has no isInstance';
  const marked = Object.assign(new Error(), { [Symbol.for(`${packageName}/${name}`)]: true });
  if (!ErrorClass.isInstance(error) || !ErrorClass.isInstance(marked)) return 'isInstance does not know its own';
  return ErrorClass.isInstance(new Error('x')) ? 'isInstance takes any error' : '';
}
