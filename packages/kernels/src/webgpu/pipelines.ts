import { writtenBindings, type Joining } from './shader';

/** A pipeline and the layout of its buffers. */
export interface Compiled {
  readonly pipeline: GPUComputePipeline;
  readonly layout: GPUBindGroupLayout;
}

const compiled = new WeakMap<GPUDevice, Map<string, Compiled>>();
const compiling = new WeakMap<GPUDevice, Map<string, Promise<void>>>();

function of<Value>(maps: WeakMap<GPUDevice, Map<string, Value>>, device: GPUDevice): Map<string, Value> {
  let map = maps.get(device);
  if (map === undefined) maps.set(device, (map = new Map<string, Value>()));
  return map;
}

function descriptor(device: GPUDevice, { label, code }: PlannedShader): GPUComputePipelineDescriptor {
  const module = device.createShaderModule({ label, code });
  return { label, layout: 'auto', compute: { module, entryPoint: 'main' } };
}

const withLayout = (pipeline: GPUComputePipeline): Compiled => ({ pipeline, layout: pipeline.getBindGroupLayout(0) });

/** The pipeline of a shader's text, made once a device. */
export function compiledShader(device: GPUDevice, shader: PlannedShader): Compiled {
  const pipelines = of(compiled, device);
  let entry = pipelines.get(shader.code);
  if (entry === undefined) {
    entry = withLayout(device.createComputePipeline(descriptor(device, shader)));
    pipelines.set(shader.code, entry);
  }
  return entry;
}

/**
 * Makes what pipelines are missing, as many at a time as the driver has threads for. What is wrong with a shader comes up
 * where its pipeline is asked for.
 */
export async function compileShaders(device: GPUDevice, shaders: Iterable<PlannedShader>): Promise<void> {
  const [pipelines, pending] = [of(compiled, device), of(compiling, device)];
  const missing = [...shaders].filter(({ code }) => !pipelines.has(code));
  const waiting = missing.map((shader) => {
    const { code } = shader;
    let making = pending.get(code);
    if (making === undefined) {
      making = device
        .createComputePipelineAsync(descriptor(device, shader))
        .then(
          (pipeline) => void pipelines.set(code, pipelines.get(code) ?? withLayout(pipeline)),
          () => undefined,
        )
        .finally(() => pending.delete(code));
      pending.set(code, making);
    }
    return making;
  });
  await Promise.all(waiting);
}

/** A shader that is dispatched where a plan is recorded: its pipeline is made once the plan is to run. */
export class PlannedShader {
  private bindings: ReadonlySet<number> | undefined;

  constructor(
    readonly label: string,
    /** WGSL with one entry point, `main`. */
    readonly code: string,
    readonly joining: Joining = {},
  ) {}

  /** Bindings that it may write. */
  get written(): ReadonlySet<number> {
    return (this.bindings ??= writtenBindings(this.code));
  }
}

const planned = new Map<string, PlannedShader>();

/** The one of this text. */
export function plannedShader(label: string, code: string, joining?: Joining): PlannedShader {
  let shader = planned.get(code);
  if (shader === undefined) planned.set(code, (shader = new PlannedShader(label, code, joining)));
  return shader;
}
