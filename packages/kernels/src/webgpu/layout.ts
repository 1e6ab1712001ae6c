import type { TensorInfo } from '@tensorflow/tfjs-core';
import { KernelError } from '../errors';

/** A 32-bit word of a uniform struct. */
export type WordType = 'u32' | 'i32' | 'f32';

/** A struct within the uniform struct; its size has to be a multiple of 16 bytes. */
export interface StructType {
  /** Its name in WGSL. */
  readonly struct: string;
  /** Its fields, in order. */
  readonly fields: Readonly<Record<string, WordType>>;
}

/** Type of a field of the uniform struct; an array is one of vec4f, as uniforms want it, and takes its numbers one by one. */
export type UniformType = WordType | `array<vec4f, ${number}>` | StructType;

/** A storage buffer: whether the shader only reads it, and its type in WGSL. */
export type BufferType = `${'read' | 'write'} ${string}`;

/** Fields of the uniform struct by name, in order. */
export type UniformTypes = Readonly<Record<string, UniformType>>;

/** Storage buffers by name, in the order they are bound in; undefined for one that this variant has not. */
export type BufferTypes = Readonly<Record<string, BufferType | undefined>>;

/** What a field takes. */
export type UniformValue<Type> = Type extends WordType
  ? number
  : Type extends StructType
    ? { readonly [Name in keyof Type['fields']]: number }
    : readonly number[];

/** What the uniform struct takes, by name. */
export type UniformValues<Uniforms> = { readonly [Name in keyof Uniforms]: UniformValue<Uniforms[Name]> };

/** Tensors that lie in one buffer, which is bound whole: see `together`. */
export interface InOne {
  readonly inOne: readonly TensorInfo[];
}

/** What a buffer of a shader is given. */
export type Bound = TensorInfo | InOne;

/** Tensors by the names of the buffers; undefined where the variant has not the buffer. */
export type BufferTensors<Buffers> = {
  readonly [Name in keyof Buffers]: undefined extends Buffers[Name] ? Bound | undefined : Bound;
};

/** The interface of a shader: declared once, it gives the WGSL text, and the words and bindings by name. */
export interface Layout<Uniforms extends UniformTypes, Buffers extends BufferTypes> {
  /** WGSL: the struct `Uniforms`, the buffers by their names at bindings from 0 on, and `uniforms` after them. */
  readonly wgsl: string;
  /** The words of the uniform struct; undefined where there is none. */
  words(values: UniformValues<Uniforms>): number[] | undefined;
  /** The tensors in the order of their bindings. */
  bind(label: string, tensors: BufferTensors<Buffers>): Bound[];
}

const converter = new DataView(new ArrayBuffer(4));

/** A number's 32 bits as a type. */
export function wordOf(type: WordType, value: number): number {
  if (type !== 'f32') return value >>> 0;
  converter.setFloat32(0, value);
  return converter.getUint32(0);
}

const isWord = (type: UniformType): type is WordType => type === 'u32' || type === 'i32' || type === 'f32';

const fieldsText = (fields: Readonly<Record<string, string>>): string =>
  Object.entries(fields)
    .map(([name, type]) => `${name}: ${type}`)
    .join(', ');

/**
 * Declares what a shader is given. Its WGSL is part of the shader's text, and `dispatch` takes tensors and numbers by
 * these names: nothing is matched by its place.
 *
 * @example layout({ uniforms: { count: 'u32' }, buffers: { x: 'read array<f32>', y: 'write array<f32>' } })
 */
export function layout<const Uniforms extends UniformTypes, const Buffers extends BufferTypes>({
  uniforms,
  buffers,
}: {
  readonly uniforms: Uniforms;
  readonly buffers: Buffers;
}): Layout<Uniforms, Buffers> {
  const bound = Object.entries(buffers).filter((entry): entry is [string, BufferType] => entry[1] !== undefined);
  const fields = Object.entries(uniforms);
  const structs = new Map(fields.flatMap(([, type]) => (typeof type === 'object' ? [[type.struct, type]] : [])));
  const declarations = bound.map(([name, type], binding) => {
    const [access, ...words] = type.split(' ');
    return `@group(0) @binding(${binding}) var<storage, ${access === 'read' ? 'read' : 'read_write'}> ${name}: ${words.join(' ')};`;
  });
  if (fields.length > 0) {
    const types = Object.fromEntries(
      fields.map(([name, type]) => [name, typeof type === 'object' ? type.struct : type]),
    );
    declarations.unshift(
      ...[...structs.values()].map(({ struct, fields: inner }) => `struct ${struct} { ${fieldsText(inner)} }`),
      `struct Uniforms { ${fieldsText(types)} }`,
    );
    declarations.push(`@group(0) @binding(${bound.length}) var<uniform> uniforms: Uniforms;`);
  }
  return {
    wgsl: declarations.join('\n'),
    words: (values) => (fields.length === 0 ? undefined : pack(fields, values)),
    bind: (label, tensors) => bind(label, bound, tensors),
  };
}

function pack(fields: readonly [string, UniformType][], values: Readonly<Record<string, unknown>>): number[] {
  const words: number[] = [];
  for (const [name, type] of fields) {
    if (isWord(type)) {
      words.push(wordOf(type, values[name] as number));
      continue;
    }
    while (words.length % 4 !== 0) words.push(0);
    if (typeof type === 'object') {
      const inner = values[name] as Readonly<Record<string, number>>;
      for (const [field, word] of Object.entries(type.fields)) words.push(wordOf(word, inner[field]!));
    } else {
      for (const value of values[name] as readonly number[]) words.push(wordOf('f32', value));
    }
  }
  return words;
}

function bind(
  label: string,
  bound: readonly [string, BufferType][],
  tensors: Readonly<Record<string, Bound | undefined>>,
): Bound[] {
  const surplus = Object.keys(tensors).find(
    (name) => tensors[name] !== undefined && !bound.some(([other]) => other === name),
  );
  if (surplus !== undefined) {
    throw new KernelError('BAD_ARGUMENT', `${label}: the shader has no buffer ${surplus}, which a tensor is given for`);
  }
  return bound.map(([name]) => {
    const tensor = tensors[name];
    if (tensor === undefined) {
      throw new KernelError('BAD_ARGUMENT', `${label}: no tensor is given for the shader's buffer ${name}`);
    }
    return tensor;
  });
}
