import { QuantError } from '../errors';
import { sizeOf, type QuantizedArrays, type StoredTensorLike } from '../types';
import { pythonJson, PythonFloat, type PythonValue } from './python-json';
import { parseQuantState, type StoredQuantState } from './quant-state-json';

/** Suffix of the tensor that holds the JSON; the 4-bit type follows. */
const STATE_PREFIX = 'quant_state.bitsandbytes__';

/**
 * The tensors of a 4-bit weight as bitsandbytes stores them (functional.py QuantState.as_dict(packed=True),
 * nn/modules.py Linear4bit._save_to_state_dict): the codes under `name`, the rest under `name.absmax` and so on.
 * INT4 is written the same way; Python's bitsandbytes does not know it.
 *
 * @param name the weight's, as `transformer.h.0.attn.c_attn.weight`
 */
export function quantStateToTensors(name: string, quantized: QuantizedArrays): StoredTensorLike[] {
  const { packed, absmax, state2, code, quantType } = quantized;
  const bytes = (suffix: string, values: Uint8Array, shape: readonly number[] = [values.length]): StoredTensorLike => ({
    name: `${name}${suffix}`,
    dtype: 'U8',
    shape,
    bytes: values,
  });
  const floats = (suffix: string, values: Float32Array): StoredTensorLike => ({
    name: `${name}${suffix}`,
    dtype: 'F32',
    shape: [values.length],
    bytes: new Uint8Array(values.buffer, values.byteOffset, values.byteLength),
  });
  return [
    bytes('', packed, [packed.length, 1]),
    absmax instanceof Uint8Array ? bytes('.absmax', absmax) : floats('.absmax', absmax),
    ...(state2 === undefined
      ? []
      : [floats('.nested_absmax', state2.absmax), floats('.nested_quant_map', state2.code)]),
    floats('.quant_map', code),
    bytes(`.${STATE_PREFIX}${quantType}`, new TextEncoder().encode(pythonJson(stateItems(quantized)))),
  ];
}

/** What is no tensor, in as_dict's order. */
function stateItems(quantized: QuantizedArrays): { [key: string]: PythonValue } {
  const { quantType, blocksize, dtype, shape, offset, state2 } = quantized;
  return {
    quant_type: quantType,
    blocksize,
    dtype,
    shape,
    ...(state2 === undefined || offset === undefined
      ? {}
      : {
          nested_blocksize: state2.blocksize,
          nested_dtype: 'float32',
          nested_offset: new PythonFloat(offset),
        }),
  };
}

/**
 * Reads a 4-bit weight from its stored tensors: any iterable that holds at least those of `name`. Everything is
 * checked against the rest before it is used.
 *
 * @throws QuantError BAD_STATE naming the tensor
 */
export function quantStateFromTensors(name: string, tensors: Iterable<StoredTensorLike>): QuantizedArrays {
  const parts = new StoredParts(name, tensors);
  const state = parts.state();
  const { quantType, blocksize, dtype, shape } = state;
  const size = sizeOf(shape);
  const blocks = Math.ceil(size / blocksize);
  const common = {
    // quant_storage may be another dtype: a view of the same bytes.
    packed: parts.bytes('', Math.ceil(size / 2)),
    code: parts.floats('.quant_map', 16),
    shape,
    blocksize,
    quantType,
    dtype,
  };
  const { nested } = state;
  if (nested === undefined) return { ...common, absmax: parts.floats('.absmax', blocks) };
  return {
    ...common,
    absmax: parts.bytes('.absmax', blocks),
    offset: nested.offset,
    state2: {
      absmax: parts.floats('.nested_absmax', Math.ceil(blocks / nested.blocksize)),
      code: parts.floats('.nested_quant_map', 256),
      blocksize: nested.blocksize,
    },
  };
}

class StoredParts {
  private readonly bySuffix = new Map<string, StoredTensorLike>();

  constructor(
    private readonly name: string,
    tensors: Iterable<StoredTensorLike>,
  ) {
    for (const tensor of tensors) {
      if (tensor.name === name || tensor.name.startsWith(`${name}.`))
        this.bySuffix.set(tensor.name.slice(name.length), tensor);
    }
  }

  state(): StoredQuantState {
    const suffixes = [...this.bySuffix.keys()].filter((suffix) => suffix.startsWith(`.${STATE_PREFIX}`));
    const [suffix, ...others] = suffixes;
    if (suffix === undefined || others.length > 0) {
      throw this.bad(
        `has ${suffixes.length} tensors named '${this.name}.${STATE_PREFIX}...', but exactly one is needed`,
      );
    }
    const { bytes } = this.bySuffix.get(suffix)!;
    return parseQuantState(bytes, suffix.slice(STATE_PREFIX.length + 1), (problem) => this.bad(problem));
  }

  bytes(suffix: string, count: number): Uint8Array {
    const { bytes } = this.get(suffix);
    if (bytes.length !== count) throw this.wrongSize(suffix, `${bytes.length} bytes`, `${count} bytes`);
    return bytes;
  }

  floats(suffix: string, count: number): Float32Array {
    const { dtype, bytes } = this.get(suffix);
    if (dtype !== 'F32' || bytes.length !== 4 * count) {
      throw this.wrongSize(suffix, `${bytes.length} bytes of ${dtype}`, `${count} values of F32`);
    }
    // A copy: stored bytes may lie at any alignment.
    const values = new Float32Array(bytes.slice().buffer);
    const bad = values.findIndex((value) => !Number.isFinite(value));
    if (bad >= 0) throw this.bad(`holds ${values[bad]} at element ${bad} of '${this.name}${suffix}'`);
    return values;
  }

  private get(suffix: string): StoredTensorLike {
    const tensor = this.bySuffix.get(suffix);
    if (tensor === undefined) throw this.bad(`lacks the tensor '${this.name}${suffix}'`);
    return tensor;
  }

  private wrongSize(suffix: string, found: string, needed: string): QuantError {
    return this.bad(`has ${found} in '${this.name}${suffix}', but its quant state asks for ${needed}`);
  }

  private bad(problem: string): QuantError {
    return new QuantError(
      'BAD_STATE',
      `the 4-bit weight '${this.name}' ${problem}: the file is damaged or of another format`,
    );
  }
}
