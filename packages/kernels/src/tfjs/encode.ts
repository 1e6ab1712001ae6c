import { env, type TensorInfo } from '@tensorflow/tfjs-core';
import type { BackendInternals, TensorPlace } from './backend';

/** A dispatch with everything bound. */
export interface BoundDispatch {
  readonly pipeline: GPUComputePipeline;
  readonly bindGroup: GPUBindGroup;
  readonly workgroups: readonly [number, number, number];
  /** Tensors that must outlive it. */
  readonly tensors: readonly TensorInfo[];
  /** A pass of its own, as for timestamps. */
  readonly pass?: GPUComputePassDescriptor | undefined;
}

/** Puts a dispatch into tfjs' command encoder, which is submitted as often as for tfjs' own dispatches. */
export function encodeDispatch(
  backend: BackendInternals,
  { pipeline, bindGroup, workgroups, tensors, pass }: BoundDispatch,
): void {
  backend.ensureCommandEncoderReady();
  const encoder = backend.commandEncoder!;
  if (pass !== undefined) {
    backend.endComputePassEncoder();
    backend.computePassEncoder = encoder.beginComputePass(pass);
  }
  backend.computePassEncoder ??= encoder.beginComputePass();
  backend.computePassEncoder.setPipeline(pipeline);
  backend.computePassEncoder.setBindGroup(0, bindGroup);
  backend.computePassEncoder.dispatchWorkgroups(...workgroups);
  for (const { dataId } of tensors) backend.commandQueueOwnedIds.add(dataId);
  backend.dispatchCountInPass++;
  if (pass !== undefined) backend.endComputePassEncoder();
  if (backend.dispatchCountInPass >= env().getNumber('WEBGPU_DEFERRED_SUBMIT_BATCH_SIZE')) {
    backend.endComputePassEncoder();
    backend.submitQueue();
  }
}

/** A place in a buffer to copy from or to. */
export type CopyEnd = Pick<TensorPlace, 'buffer' | 'offset'>;

/** Copies bytes, in order with what is encoded. */
export function encodeCopy(
  backend: BackendInternals,
  { source, target, bytes }: { readonly source: CopyEnd; readonly target: CopyEnd; readonly bytes: number },
): void {
  backend.ensureCommandEncoderReady();
  backend.endComputePassEncoder();
  backend.commandEncoder!.copyBufferToBuffer(source.buffer, source.offset, target.buffer, target.offset, bytes);
}
