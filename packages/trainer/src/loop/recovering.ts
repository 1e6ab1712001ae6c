import type { Device } from '@qlora-js/kernels';
import { TrainerError } from '../errors';
import type { UploadedBatch } from '../model/trainable-model';
import type { TrainOutput } from './options';
import type { Trainer } from './trainer';
import { turn } from './turn';

/** A training on a device of its own. */
export interface DeviceRun<Batch extends UploadedBatch> {
  readonly device: Device;
  /** On that device; its checkpoints go to the same store at every start. */
  readonly trainer: Trainer<Batch>;
  /** Gives model, replicas and device back; the device may be lost by then. */
  dispose(): void | Promise<void>;
}

/** How `trainRecovering` goes about it. */
export interface TrainRecoveringOptions<Batch extends UploadedBatch, Run extends DeviceRun<Batch>> {
  /** Opens a device and builds all that a training needs on it, as at the first time. Called again after each loss. */
  readonly start: () => Promise<Run>;
  /** Losses after which it goes on; default 3. */
  readonly maxRestarts?: number;
  /** Takes a line for each loss; default console.warn. */
  readonly log?: (line: string) => void;
}

/**
 * Trains through the loss of a GPU: the device is opened again, the newest checkpoint loaded, and the run goes on to the
 * same bits. Without a checkpoint it begins anew.
 *
 * @returns the output, and the run whose model holds it: the caller disposes of it
 * @throws TrainerError DEVICE_LOST after more losses than `maxRestarts`, with what was lost given back
 */
export async function trainRecovering<Batch extends UploadedBatch, Run extends DeviceRun<Batch>>({
  start,
  maxRestarts = 3,
  log = (line) => console.warn(line),
}: TrainRecoveringOptions<Batch, Run>): Promise<{ readonly output: TrainOutput; readonly run: Run }> {
  for (let losses = 0; ;) {
    const run = await start();
    try {
      const output = await run.trainer.train(losses === 0 ? {} : { resumeFromCheckpoint: true });
      return { output, run };
    } catch (error) {
      // The loss is told of in a turn of its own, after what failed because of it.
      await turn();
      const { failure } = run.device;
      await run.dispose();
      if (failure?.code !== 'DEVICE_LOST') throw error;
      losses++;
      if (losses > maxRestarts) {
        throw new TrainerError(
          'DEVICE_LOST',
          `the GPU was lost ${losses} times, the last time at step ${run.trainer.state.globalStep}: ${failure.message}`,
          {
            cause: error,
            remedy: 'checkpoints are as they were: go on from them with resumeFromCheckpoint: true',
          },
        );
      }
      log(
        `the GPU was lost at step ${run.trainer.state.globalStep}; opening it again, ${losses} of ${maxRestarts} times`,
      );
    }
  }
}
