import type { BufferTypes, Layout, UniformTypes } from './layout';

/** How a recorded plan may join a shader with its neighbours; see plan/joining. */
export interface Joining {
  /** Little work, which may run beside another dispatch of as many threads. */
  readonly beside?: boolean;
  /** A buffer whose every element is what a function of its number gives, and which nothing else is done to. */
  readonly makes?: { readonly buffer: string; readonly by: string };
  /** Buffers of which one thread alone reads an element, the first time by this function of its number. */
  readonly takes?: Readonly<Record<string, string>>;
}

/** A shader as `dispatch` takes it. */
export interface Shader<Uniforms extends UniformTypes, Buffers extends BufferTypes> {
  /** The name of the op and of the variant, for GPU errors and profiles. */
  readonly label: string;
  /** WGSL with one entry point, `main`. Pipelines are cached by this very text. */
  readonly code: string;
  /** What the text declares. */
  readonly layout: Layout<Uniforms, Buffers>;
  /** Default: with nothing. */
  readonly joining?: Joining;
}

const STORAGE_WRITE = /((?:@(?:group|binding)\(\s*\d+\s*\)\s*){2})var\s*<\s*storage\s*,\s*read_write\s*>/g;

/** Bindings of group 0 that a shader declares `var<storage, read_write>`. */
export function writtenBindings(code: string): Set<number> {
  const written = new Set<number>();
  for (const [, attributes] of code.matchAll(STORAGE_WRITE)) {
    written.add(Number(/@binding\(\s*(\d+)/.exec(attributes!)![1]));
  }
  return written;
}

/**
 * Turns a template into a function that writes each variant once. Whatever the template bakes in must be among its
 * constants: equal constants give the very same shader.
 *
 * @param template returns the text, with the layout's `wgsl` in it, and the layout
 */
export function shaderVariants<
  Constants extends Readonly<Record<string, string | number | boolean>>,
  Uniforms extends UniformTypes,
  Buffers extends BufferTypes,
>(
  label: string,
  template: (constants: Constants) => Omit<Shader<Uniforms, Buffers>, 'label'>,
): (constants: Constants) => Shader<Uniforms, Buffers> {
  const variants = new Map<string, Shader<Uniforms, Buffers>>();
  return (constants) => {
    const key = JSON.stringify(constants);
    let shader = variants.get(key);
    if (shader === undefined) variants.set(key, (shader = { label: `${label} ${key}`, ...template(constants) }));
    return shader;
  };
}

/** Workgroups a dimension that WebGPU guarantees. */
const GUARANTEED = 65_535;

/**
 * Spreads a count of workgroups over two dimensions, since one takes 65,535. The shader finds its number by
 * `WORKGROUP_INDEX` and returns where that is not below the count: the last row may be longer than needed.
 */
export function spread(count: number): [number, number, number] {
  const rows = Math.ceil(count / GUARANTEED);
  return rows === 0 ? [0, 1, 1] : [Math.ceil(count / rows), rows, 1];
}

/** WGSL: number of the workgroup in a grid made by `spread`; needs `workgroup: vec3u` and `workgroups: vec3u`. */
export const WORKGROUP_INDEX = 'workgroup.y * workgroups.x + workgroup.x';

/** WGSL: parameters that `WORKGROUP_INDEX` and a thread's number in its workgroup, `lane`, come from. */
export const WORKGROUP_PARAMETERS = `@builtin(workgroup_id) workgroup: vec3u,
  @builtin(num_workgroups) workgroups: vec3u,
  @builtin(local_invocation_index) lane: u32`;
