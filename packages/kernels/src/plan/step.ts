import type { Tensor, Variable } from '@tensorflow/tfjs-core';
import type { WebGPUBackend } from '@tensorflow/tfjs-backend-webgpu';
import { KernelError } from '../errors';
import type { Device } from '../device/device';
import { outOfMemory } from '../device/failure';
import { forgetHostCopies } from '../tfjs/in-place';
import { flush, tensorOn, tensorUsage, type BackendInternals } from '../tfjs/backend';
import { backendOf } from './backend';
import { compiledShader, compileShaders, PlannedShader } from '../webgpu/pipelines';
import { Arena } from './arena';
import { isPlanned, type BufferRef } from './commands';
import { encode, type ReadyCommand } from './encode';
import { InputStaging, type InputValue } from './inputs';
import { PersistentTensors } from './persistent';
import type { PlanMemory } from './plan-memory';
import { profileCommands, type StepProfile } from './profile';
import type { PlacedTensor, Program } from './program';
import { readBuffer } from './read';
import type { PersistentTensor } from './recording';

export type InputValues = Readonly<Record<string, InputValue>>;

export interface StepParts {
  readonly name: string;
  readonly device: Device;
  readonly program: Program;
  readonly persistent: readonly PersistentTensor[];
  readonly assigned: readonly Variable[];
  readonly memory: PlanMemory;
  /** Shared memory; a step makes its own where there is none. */
  readonly arena: Arena | undefined;
}

interface Allocation {
  readonly own: readonly GPUBuffer[];
  readonly constants: GPUBuffer | undefined;
  readonly inputs: GPUBuffer | undefined;
}

/** A recorded function with memory: every `run` replays it. */
export class Step<Name extends string = string> {
  readonly name: string;
  /** What the step takes, computed before anything is allocated. */
  readonly memory: PlanMemory;
  /** Dispatches of one run. */
  readonly dispatches: number;
  private readonly device: Device;
  private readonly program: Program;
  private readonly backend: BackendInternals;
  private readonly arena: Arena;
  private readonly ownsArena: boolean;
  private readonly persistent: PersistentTensors;
  private readonly staging: InputStaging;
  private allocation: Allocation | undefined;
  private slots: readonly GPUBuffer[] = [];
  private generation = -1;
  private ready: readonly ReadyCommand[] | undefined;
  private tensors: Record<string, Tensor> | undefined;
  private disposed = false;

  constructor(parts: StepParts) {
    const { name, device, program, persistent, assigned, memory, arena } = parts;
    this.name = name;
    this.device = device;
    this.program = program;
    this.memory = memory;
    this.backend = backendOf(device);
    this.arena = arena ?? new Arena(device);
    this.ownsArena = arena === undefined;
    this.dispatches = program.commands.filter(({ kind }) => kind === 'dispatch').length;
    this.persistent = new PersistentTensors(name, device, program, persistent, assigned);
    this.staging = new InputStaging(name, this.backend, program);
  }

  /**
   * Takes the memory that `memory` tells of. The first `run` does it by itself; here one can wait for it.
   *
   * @throws KernelError OUT_OF_MEMORY where the GPU has not enough
   */
  async allocate(): Promise<void> {
    const { gpuDevice } = this.device;
    gpuDevice!.pushErrorScope('out-of-memory');
    this.prepare();
    const error = await gpuDevice!.popErrorScope();
    if (error !== null) throw this.memoryError(error.message);
    this.device.throwIfFailed();
  }

  /** Compiles the step's shaders, several at a time. The first `run` compiles what is not, one after the other. */
  async compile(): Promise<void> {
    if (this.ready !== undefined) return;
    const shaders = this.program.commands.flatMap((command) =>
      command.kind === 'dispatch' && command.shader instanceof PlannedShader ? [command.shader] : [],
    );
    await compileShaders(this.device.gpuDevice!, new Set(shaders));
  }

  /**
   * Uploads the inputs and replays the recorded commands, in order with what tfjs has issued. Returns at once: nothing
   * is waited for and nothing is read back.
   *
   * @throws KernelError BAD_SHAPE, BAD_DTYPE or BAD_ARGUMENT for inputs that do not fit; DISPOSED where a tensor that
   *   the step reads is gone; DEVICE_LOST, OUT_OF_MEMORY
   */
  run(inputs: InputValues): void {
    const commands = this.prepare();
    const encoder = this.begin(inputs);
    encode(commands, encoder);
    this.device.gpuDevice!.queue.submit([encoder.finish()]);
  }

  /** The values of an output after the last `run`, without keeping later runs from starting. */
  async read(name: Name): Promise<Float32Array | Int32Array> {
    const { place, dtype, shape } = this.output(name);
    const bytes = 4 * shape.reduce((product, size) => product * size, 1);
    const buffer = await readBuffer(this.device, this.resolve(place).buffer, bytes);
    return dtype === 'float32' ? new Float32Array(buffer) : new Int32Array(buffer);
  }

  /** The outputs as tfjs tensors. The step owns them, and each run changes their values. */
  get outputs(): Record<Name, Tensor> {
    this.prepare();
    this.tensors ??= Object.fromEntries(this.program.outputs.map((output) => [output.name, this.asTensor(output)]));
    return this.tensors;
  }

  /**
   * Runs once with a timestamp around each dispatch, which is slower than `run` and has the same effect.
   *
   * @throws KernelError NO_FEATURE where the device has no timestamp-query
   */
  async profile(inputs: InputValues): Promise<StepProfile> {
    const commands = this.prepare();
    return profileCommands(this.device, commands, () => this.begin(inputs));
  }

  /** Gives the step's memory back; a shared arena stays. */
  dispose(): void {
    if (this.disposed) return;
    this.disposed = true;
    for (const tensor of Object.values(this.tensors ?? {})) tensor.dispose();
    for (const buffer of this.allocation?.own ?? []) buffer.destroy();
    this.allocation?.constants?.destroy();
    this.allocation?.inputs?.destroy();
    if (this.ownsArena) this.arena.dispose();
    this.ready = undefined;
  }

  private begin(inputs: InputValues): GPUCommandEncoder {
    flush(this.backend);
    const encoder = this.device.gpuDevice!.createCommandEncoder({ label: this.name });
    this.staging.upload(inputs, encoder, (place) => this.resolve(place));
    return encoder;
  }

  /** Memory and bind groups, made anew where what they bind has moved. */
  private prepare(): readonly ReadyCommand[] {
    if (this.disposed) throw new KernelError('DISPOSED', `the step ${this.name} is disposed of; record it again`);
    this.device.throwIfFailed();
    const moved = this.persistent.refresh();
    if (this.ready !== undefined && !moved && this.generation === this.arena.generation) return this.ready;
    const { gpuDevice } = this.device;
    gpuDevice!.pushErrorScope('out-of-memory');
    this.allocation ??= this.device.owner('plan buffers', () => this.makeBuffers(gpuDevice!));
    this.slots = this.arena.reserve(this.program.slots);
    this.generation = this.arena.generation;
    void gpuDevice!.popErrorScope().then((error) => {
      if (error !== null) this.device.fail(this.memoryError(error.message));
    });
    this.ready = this.bind(gpuDevice!);
    return this.ready;
  }

  private makeBuffers(gpuDevice: GPUDevice): Allocation {
    const { own, inputBytes, constants } = this.program;
    const usage = tensorUsage();
    let constantBuffer: GPUBuffer | undefined;
    if (constants.length > 0) {
      constantBuffer = gpuDevice.createBuffer({
        label: 'plan constants',
        size: constants.length,
        usage: usage | GPUBufferUsage.UNIFORM,
      });
      gpuDevice.queue.writeBuffer(constantBuffer, 0, constants);
    }
    return {
      own: own.map((size) => gpuDevice.createBuffer({ label: 'plan output', size, usage })),
      constants: constantBuffer,
      inputs: inputBytes === 0 ? undefined : gpuDevice.createBuffer({ label: 'plan inputs', size: inputBytes, usage }),
    };
  }

  private bind(gpuDevice: GPUDevice): ReadyCommand[] {
    return this.program.commands.map((command): ReadyCommand => {
      if (command.kind === 'copy') {
        const source = this.find(command.source);
        const target = this.find(command.target);
        return {
          kind: 'copy',
          source: source.buffer,
          sourceOffset: source.offset + command.sourceOffset,
          target: target.buffer,
          targetOffset: target.offset + command.targetOffset,
          size: command.size,
        };
      }
      const { label, shader, workgroups } = command;
      const { pipeline, layout } = shader instanceof PlannedShader ? compiledShader(gpuDevice, shader) : shader;
      const entries = command.bindings.map(({ binding, buffer, offset, size }): GPUBindGroupEntry => {
        const found = this.find(buffer);
        const bytes = size ?? (isPlanned(buffer) ? buffer.size - offset : undefined);
        return { binding, resource: { buffer: found.buffer, offset: found.offset + offset, size: bytes } };
      });
      return {
        kind: 'dispatch',
        label,
        pipeline,
        workgroups,
        group: gpuDevice.createBindGroup({ label, layout, entries }),
      };
    });
  }

  private find(buffer: BufferRef): { buffer: GPUBuffer; offset: number } {
    if (!isPlanned(buffer)) return { buffer: this.persistent.current(buffer), offset: 0 };
    return this.resolve(this.program.places.get(buffer)!);
  }

  private resolve(place: PlacedTensor['place']): { buffer: GPUBuffer; offset: number } {
    const { own, constants, inputs } = this.allocation!;
    switch (place.kind) {
      case 'slot':
        return { buffer: this.slots[place.index]!, offset: 0 };
      case 'own':
        return { buffer: own[place.index]!, offset: 0 };
      case 'constant':
        return { buffer: constants!, offset: place.offset };
      case 'input':
        return { buffer: inputs!, offset: place.offset };
      case 'part': {
        const whole = this.resolve(this.program.places.get(place.of)!);
        return { buffer: whole.buffer, offset: whole.offset + place.offset };
      }
    }
  }

  private output(name: string): PlacedTensor {
    this.prepare();
    const output = this.program.outputs.find((candidate) => candidate.name === name);
    if (output !== undefined) return output;
    const names = this.program.outputs.map((candidate) => candidate.name).join(', ');
    throw new KernelError('BAD_ARGUMENT', `the step ${this.name} has no output ${name}; it has ${names}`);
  }

  private asTensor({ place, shape, dtype }: PlacedTensor): Tensor {
    const tensor = tensorOn(this.backend, this.resolve(place).buffer, { shape, dtype });
    // Values once read must be read again after the next run.
    forgetHostCopies(this.device.tfjsBackend as WebGPUBackend, [tensor]);
    return tensor;
  }

  private memoryError(message: string): KernelError {
    return outOfMemory(`the step ${this.name} takes ${this.memory.text} and the GPU has not enough: ${message.trim()}`);
  }
}
