import { KernelError } from '../errors';

/** Milliseconds a dispatch took on the GPU. */
export interface DispatchTime {
  readonly label: string;
  readonly milliseconds: number;
}

/** Dispatches a profile has room for; WebGPU allows 4,096 timestamps a query set, two a dispatch. */
const CAPACITY = 2048;
const TIMESTAMP_BYTES = 8;

const active = new WeakMap<GPUDevice, DispatchProfile>();

/** The profile that runs on this device now, if any. */
export const activeProfile = (device: GPUDevice): DispatchProfile | undefined => active.get(device);

/**
 * Times every dispatch of ours from here on by timestamp queries, each in a compute pass of its own: truer than a
 * clock on the host, and slower as a whole, since passes do not overlap.
 */
export class DispatchProfile {
  private readonly querySet: GPUQuerySet;
  private readonly labels: string[] = [];

  /** @throws KernelError NO_FEATURE where the device was opened without timestamp-query */
  constructor(private readonly device: GPUDevice) {
    if (!device.features.has('timestamp-query')) {
      throw new KernelError('NO_FEATURE', 'this device has no timestamp-query: GPU times cannot be had from it');
    }
    this.querySet = device.createQuerySet({ type: 'timestamp', count: 2 * CAPACITY });
    active.set(device, this);
  }

  /** The pass a dispatch is to run in, or undefined where the profile is full. */
  nextPass(label: string): GPUComputePassDescriptor | undefined {
    if (this.labels.length === CAPACITY) return undefined;
    const index = 2 * this.labels.length;
    this.labels.push(label);
    return {
      label,
      timestampWrites: {
        querySet: this.querySet,
        beginningOfPassWriteIndex: index,
        endOfPassWriteIndex: index + 1,
      },
    };
  }

  /** Ends the profile and returns what it saw, in order. Everything dispatched must have been submitted. */
  async stop(): Promise<DispatchTime[]> {
    active.delete(this.device);
    const count = 2 * this.labels.length;
    if (count === 0) return [];
    const size = count * TIMESTAMP_BYTES;
    const resolved = this.device.createBuffer({ size, usage: GPUBufferUsage.QUERY_RESOLVE | GPUBufferUsage.COPY_SRC });
    const readable = this.device.createBuffer({ size, usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST });
    const encoder = this.device.createCommandEncoder();
    encoder.resolveQuerySet(this.querySet, 0, count, resolved, 0);
    encoder.copyBufferToBuffer(resolved, 0, readable, 0, size);
    this.device.queue.submit([encoder.finish()]);
    await readable.mapAsync(GPUMapMode.READ);
    const nanoseconds = new BigUint64Array(readable.getMappedRange().slice(0));
    for (const resource of [resolved, readable, this.querySet]) resource.destroy();
    return this.labels.map((label, i) => ({
      label,
      milliseconds: Number(nanoseconds[2 * i + 1]! - nanoseconds[2 * i]!) / 1e6,
    }));
  }
}
