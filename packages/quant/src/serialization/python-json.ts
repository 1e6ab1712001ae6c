// JSON as Python's json.dumps writes it, which readers don't care about but byte-equal files do: ", " and ": " between
// items, and floats as Python's repr.

export type PythonValue =
  string | number | PythonFloat | readonly PythonValue[] | { readonly [key: string]: PythonValue };

/** A number that Python holds as a float, so that 1 is written 1.0. */
export class PythonFloat {
  constructor(readonly value: number) {}
}

export function pythonJson(value: PythonValue): string {
  if (value instanceof PythonFloat) return pythonFloat(value.value);
  if (typeof value === 'string') return asciiString(value);
  if (typeof value === 'number') return String(value);
  if (isList(value)) return `[${value.map(pythonJson).join(', ')}]`;
  const items = Object.entries(value).map(([key, item]) => `${asciiString(key)}: ${pythonJson(item)}`);
  return `{${items.join(', ')}}`;
}

function isList(value: object): value is readonly PythonValue[] {
  return Array.isArray(value);
}

/**
 * Python's repr of a finite float. Both languages write the shortest digits that read back; Python turns to exponents
 * below 1e-4 and from 1e16 on, with two digits at least, and always shows that it is a float.
 */
export function pythonFloat(value: number): string {
  if (Object.is(value, -0)) return '-0.0';
  const magnitude = Math.abs(value);
  if (magnitude !== 0 && (magnitude < 1e-4 || magnitude >= 1e16)) {
    return value.toExponential().replace(/e([+-])(\d)$/, 'e$10$2');
  }
  const text = String(value);
  return text.includes('.') ? text : `${text}.0`;
}

/** json.dumps escapes everything outside ASCII. */
function asciiString(text: string): string {
  return JSON.stringify(text).replace(
    /[\u007f-\uffff]/g,
    (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}
