import {
  bufferSource,
  openSafetensors,
  type ReadableFiles,
  serializeSafetensors,
  type StoredTensor,
} from '@qlora-js/hub';
import { TrainerError } from '../errors';

/** State dicts by the name of the part they are of, as two files: what is no array, and the arrays. */
const STATE_JSON = 'training_state.json';
/** The arrays, by the place in the JSON that refers to them. */
const STATE_TENSORS = 'training_state.safetensors';

/** States of a run's parts, by name. */
export type States = Readonly<Record<string, object>>;

/** Stands in the JSON for an array. */
interface TensorReference {
  readonly $tensor: string;
}

const DTYPES = { Float32Array: 'F32', Int32Array: 'I32', Uint8Array: 'U8' } as const;

/**
 * The files that hold states: `training_state.json` with a reference where an array stood, and `training_state.safetensors`.
 * The arrays' bytes are copied.
 *
 * @throws TrainerError BAD_ARGUMENT naming the place of a value that no checkpoint can hold
 */
export function encodeStates(states: States): Record<string, string | Uint8Array> {
  const tensors: StoredTensor[] = [];
  const encode = (value: unknown, place: string): unknown => {
    if (value === null || typeof value === 'string' || typeof value === 'boolean') return value;
    if (typeof value === 'number' && Number.isFinite(value)) return value;
    if (Array.isArray(value)) return value.map((item, index) => encode(item, `${place}/${index}`));
    if (ArrayBuffer.isView(value)) {
      const dtype = DTYPES[value.constructor.name as keyof typeof DTYPES];
      if (dtype === undefined) throw refused(place, `a ${value.constructor.name}`);
      const bytes = new Uint8Array(value.buffer, value.byteOffset, value.byteLength).slice();
      const { length } = value as Uint8Array;
      tensors.push({ name: place, dtype, shape: [length], bytes });
      return { $tensor: place } satisfies TensorReference;
    }
    if (typeof value === 'object') {
      return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, encode(item, `${place}/${key}`)]));
    }
    throw refused(place, typeof value === 'number' ? `the number ${value}` : `a ${typeof value}`);
  };
  const json = Object.fromEntries(Object.entries(states).map(([part, state]) => [part, encode(state, part)]));
  return {
    [STATE_JSON]: `${JSON.stringify(json, null, 2)}\n`,
    [STATE_TENSORS]: serializeSafetensors(tensors),
  };
}

/**
 * The states of the two files.
 *
 * @throws TrainerError BAD_CHECKPOINT, HubError
 */
export async function decodeStates(files: ReadableFiles): Promise<States> {
  const json = parseObject(await files.text(STATE_JSON), `${files.id}/${STATE_JSON}`);
  const source = await files.open(STATE_TENSORS);
  const stored = await openSafetensors(bufferSource(await source.read(0, source.size), `${files.id}/${STATE_TENSORS}`));
  const arrays = new Map<string, Float32Array | Int32Array | Uint8Array>();
  for (const name of stored.tensors.keys()) {
    const { dtype, bytes } = await stored.read(name);
    const own = bytes.slice();
    if (dtype === 'F32') arrays.set(name, new Float32Array(own.buffer));
    else if (dtype === 'I32') arrays.set(name, new Int32Array(own.buffer));
    else arrays.set(name, own);
  }
  const decode = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(decode);
    if (typeof value !== 'object' || value === null) return value;
    if ('$tensor' in value) {
      const array = arrays.get(String(value.$tensor));
      if (array === undefined) {
        throw new TrainerError('BAD_CHECKPOINT', `${files.id}/${STATE_TENSORS} lacks '${String(value.$tensor)}'`);
      }
      return array;
    }
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, decode(item)]));
  };
  return decode(json) as States;
}

/** @throws TrainerError BAD_CHECKPOINT where the text is no JSON object */
export function parseObject(text: string, place: string): Record<string, unknown> {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    throw new TrainerError('BAD_CHECKPOINT', `${place} is not JSON`, { cause: error });
  }
  if (typeof json === 'object' && json !== null && !Array.isArray(json)) return json as Record<string, unknown>;
  throw new TrainerError('BAD_CHECKPOINT', `${place} is not a JSON object`);
}

function refused(place: string, what: string): TrainerError {
  return new TrainerError(
    'BAD_ARGUMENT',
    `the state '${place}' is ${what}, but a checkpoint holds JSON values, Float32Array, Int32Array and Uint8Array`,
  );
}
