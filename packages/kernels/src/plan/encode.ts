/** A command with its buffers bound. */
export type ReadyCommand =
  | {
      readonly kind: 'dispatch';
      readonly label: string;
      readonly pipeline: GPUComputePipeline;
      readonly group: GPUBindGroup;
      readonly workgroups: readonly [number, number, number];
    }
  | {
      readonly kind: 'copy';
      readonly source: GPUBuffer;
      readonly sourceOffset: number;
      readonly target: GPUBuffer;
      readonly targetOffset: number;
      readonly size: number;
    };

/** Encodes commands in order, as many dispatches in a pass as no copy comes between. */
export function encode(commands: readonly ReadyCommand[], encoder: GPUCommandEncoder): void {
  let pass: GPUComputePassEncoder | undefined;
  let pipeline: GPUComputePipeline | undefined;
  for (const command of commands) {
    if (command.kind === 'copy') {
      pass?.end();
      pass = pipeline = undefined;
      encodeCopy(command, encoder);
      continue;
    }
    pass ??= encoder.beginComputePass();
    if (command.pipeline !== pipeline) pass.setPipeline((pipeline = command.pipeline));
    pass.setBindGroup(0, command.group);
    const [x, y, z] = command.workgroups;
    pass.dispatchWorkgroups(x, y, z);
  }
  pass?.end();
}

export function encodeCopy(command: ReadyCommand & { kind: 'copy' }, encoder: GPUCommandEncoder): void {
  const { source, sourceOffset, target, targetOffset, size } = command;
  encoder.copyBufferToBuffer(source, sourceOffset, target, targetOffset, size);
}
