/** What JSON can hold. */
export type JsonValue = number | string | boolean | null | JsonValue[] | { [key: string]: JsonValue };

/** What stands where a secret was. */
export const REDACTED = '[redacted]';

/** Deeper than any real config; a cycle or a hostile object ends here. */
const DEEPEST = 20;

/** Endings of keys (lower case, letters and digits only) whose string values are secrets. */
const SECRET_KEY =
  /(?:^token|(?:api|access|auth|bearer|hub|hf|wandb|session|refresh)token|(?:api|access|secret|private)key|password|passwd|secret|credentials?|authorization)$/;

/** Tokens of Hugging Face and Weights & Biases, authorization headers and credentials in URLs, wherever they stand in a string. */
const SECRET_TEXT: [RegExp, string][] = [
  [/\bhf_[A-Za-z0-9]{16,}/g, REDACTED],
  [/\bwandb_v\d+_[A-Za-z0-9_]{16,}/g, REDACTED],
  [/\bBearer\s+[A-Za-z0-9._~+/=-]{8,}/gi, `Bearer ${REDACTED}`],
  [/\bBasic\s+[A-Za-z0-9+/]{16,}={0,2}/g, `Basic ${REDACTED}`],
  [/(\b[a-z][a-z0-9+.-]*:\/\/)[^\s/@:]*:[^\s/@]+@/gi, `$1${REDACTED}@`],
];

/**
 * A copy that JSON can hold and that may be shown: NaN and infinities become the strings 'NaN', 'Infinity' and
 * '-Infinity'; bigints and dates become strings, typed arrays, sets and maps become arrays; undefined, functions and
 * symbols are left out of objects and null in arrays, as JSON.stringify has it; a cycle becomes '[circular]'. String values
 * of keys such as `token`, `hubToken`, `api_key` or `password` become '[redacted]', and so do Hugging Face tokens,
 * bearer headers and credentials of URLs inside any string.
 */
export function jsonSafe(value: unknown): JsonValue {
  return copy(value, [], false) ?? null;
}

function copy(value: unknown, above: readonly object[], secret: boolean): JsonValue | undefined {
  switch (typeof value) {
    case 'boolean':
      return value;
    case 'number':
      return Number.isFinite(value) ? value : String(value);
    case 'string':
      return secret && value !== '' ? REDACTED : withoutSecrets(value);
    case 'bigint':
      return value.toString();
    case 'object':
      return value === null ? null : copyObject(value, above, secret);
    default:
      return undefined;
  }
}

function copyObject(value: object, above: readonly object[], secret: boolean): JsonValue {
  if (above.includes(value)) return '[circular]';
  if (above.length >= DEEPEST) return '[too deep]';
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? 'Invalid Date' : value.toISOString();
  if (value instanceof Error) return withoutSecrets(`${value.name}: ${value.message}`);
  const inside = [...above, value];
  if (Array.isArray(value) || value instanceof Set || value instanceof Map || isTypedArray(value)) {
    return Array.from(value as Iterable<unknown>, (item) => copy(item, inside, secret) ?? null);
  }
  const entries = Object.entries(value)
    .map(([key, item]) => [key, copy(item, inside, secret || isSecretKey(key))] as const)
    .filter((entry): entry is [string, JsonValue] => entry[1] !== undefined);
  // fromEntries defines keys, so that __proto__ is a key like any other.
  return Object.fromEntries(entries);
}

function isTypedArray(value: object): boolean {
  return ArrayBuffer.isView(value) && !(value instanceof DataView);
}

function isSecretKey(key: string): boolean {
  return SECRET_KEY.test(key.toLowerCase().replaceAll(/[^a-z0-9]/g, ''));
}

/** The text with every credential of a known shape taken out; for error messages of clients too. */
export function withoutSecrets(text: string): string {
  return SECRET_TEXT.reduce((clean, [pattern, shown]) => clean.replaceAll(pattern, shown), text);
}
