import type { TrainingArguments } from '../arguments/types';
import { TrainerError } from '../errors';
import type { TrainableModel, UploadedBatch } from '../model/trainable-model';
import type { LogRow, TrainerState } from '../state/trainer-state';
import { sealed, verified } from './manifest';
import type { RunIdentity } from './run-identity';
import type { CheckpointFiles, CheckpointStore } from './store';

/** A checkpoint of a step, by transformers' name. */
export function checkpointName(step: number): string {
  return `checkpoint-${step}`;
}

/** The step of a checkpoint's name; undefined for another name. */
export function stepOf(name: string): number | undefined {
  const [, digits] = /^checkpoint-(\d{1,15})$/.exec(name) ?? [];
  return digits === undefined ? undefined : Number(digits);
}

/** A checkpoint on its way. */
export interface SavedCheckpoint {
  /** Where it lies, in words for people. */
  readonly place: string;
  /** Resolves once it is written whole; rejects where that failed, which also ends the run. */
  readonly written: Promise<void>;
}

/**
 * Which checkpoints there are, which is best, and which may go. The newest and the best always stay while a run lasts,
 * so that a limit of one can keep two until the end (transformers, trainer_utils.py, rotate_checkpoints).
 *
 * A checkpoint is written while training goes on; one at a time.
 */
export class CheckpointKeeper {
  private kept: string[] = [];
  private writing: Promise<void> = Promise.resolve();
  private failure: Error | undefined;

  constructor(
    private readonly store: CheckpointStore,
    private readonly args: TrainingArguments,
  ) {}

  /** Names of checkpoints that are written whole, oldest first. */
  get names(): readonly string[] {
    return this.kept;
  }

  /** What the checkpoint of a state's step is called. */
  nameOf({ globalStep }: TrainerState): string {
    return checkpointName(globalStep);
  }

  /** Begins with checkpoints that are there already and belong to the run. */
  begin(names: readonly string[]): void {
    this.kept = [...names].sort((a, b) => stepOf(a)! - stepOf(b)!);
    this.writing = Promise.resolve();
    this.failure = undefined;
  }

  /** Notes an evaluation's metric; true where it is finite and the best so far (strictly, as transformers compares). */
  noteMetric(state: TrainerState, row: LogRow): boolean {
    const { metricForBestModel: name, greaterIsBetter } = this.args;
    if (name === null) return false;
    const value = row[`eval_${name}`];
    if (value === undefined) {
      const known = Object.keys(row).map((key) => key.replace(/^eval_/, ''));
      throw new TrainerError(
        'BAD_ARGUMENT',
        `metricForBestModel is '${name}', but evaluations give ${known.join(', ')}`,
        { value: name },
      );
    }
    if (!Number.isFinite(value)) return false;
    const better = state.bestMetric === null || (greaterIsBetter ? value > state.bestMetric : value < state.bestMetric);
    if (better) {
      state.bestMetric = value;
      state.bestGlobalStep = state.globalStep;
    }
    return better;
  }

  /**
   * Begins to write a checkpoint of the state's step, once the one before is written. The files are private copies, so
   * training may go on.
   *
   * @throws TrainerError UNWRITABLE where the one before could not be written
   */
  async save(state: TrainerState, files: CheckpointFiles, run: RunIdentity): Promise<SavedCheckpoint> {
    await this.settle();
    const { globalStep: step, bestModelCheckpoint } = state;
    const name = checkpointName(step);
    this.writing = this.write(name, await sealed(files, { step, run }), bestModelCheckpoint);
    // Whoever waits sees the error; it ends the run in any case, at its next step.
    this.writing.catch((error: Error) => (this.failure = error));
    return { place: this.store.locate(name), written: this.writing };
  }

  /** @throws TrainerError UNWRITABLE as soon as a checkpoint is known not to have been written */
  throwIfFailed(): void {
    if (this.failure !== undefined) throw this.failure;
  }

  /**
   * Waits for what is being written.
   *
   * @throws TrainerError UNWRITABLE
   */
  async settle(): Promise<void> {
    await this.writing;
  }

  /** Loads the weights of the best checkpoint, where the arguments ask for it. @throws TrainerError BAD_CHECKPOINT */
  async loadBest<Batch extends UploadedBatch>(state: TrainerState, model: TrainableModel<Batch>): Promise<void> {
    if (!this.args.loadBestModelAtEnd || state.bestModelCheckpoint === null) return;
    const { files } = await verified(await this.store.open(state.bestModelCheckpoint));
    await model.loadFiles(files);
  }

  /** After the run the newest checkpoint needs no keeping for its own sake. */
  async finish(state: TrainerState): Promise<void> {
    await this.settle();
    if (state.bestModelCheckpoint !== null) await this.rotate([state.bestModelCheckpoint]);
  }

  private async write(name: string, files: CheckpointFiles, best: string | null): Promise<void> {
    try {
      await this.store.save(name, files);
    } catch (error) {
      throw await this.unwritable(name, files, error);
    }
    this.kept = [...this.kept.filter((kept) => kept !== name), name];
    await this.rotate(best === null ? [name] : [name, best]);
  }

  private async rotate(protectedNames: readonly string[]): Promise<void> {
    const { saveTotalLimit } = this.args;
    if (saveTotalLimit === null) return;
    for (const name of [...this.kept]) {
      if (this.kept.length <= saveTotalLimit) return;
      if (protectedNames.includes(name)) continue;
      await this.store.remove(name);
      this.kept = this.kept.filter((kept) => kept !== name);
    }
  }

  /** Says where the weights are that could not be saved where they belong. */
  private async unwritable(name: string, files: CheckpointFiles, cause: unknown): Promise<TrainerError> {
    const last = this.kept.at(-1);
    const good =
      last === undefined ? 'There is no checkpoint before it' : `The last good one is ${this.store.locate(last)}`;
    let rescued: string;
    try {
      const place = await this.store.rescue?.(name, files);
      rescued = place === undefined ? 'Its weights are in the model in memory' : `It was written to ${place} instead`;
    } catch (error) {
      rescued = `Nor could it be written elsewhere (${messageOf(error)}): its weights are in the model in memory`;
    }
    return new TrainerError(
      'UNWRITABLE',
      `${this.store.locate(name)} could not be written: ${messageOf(cause)}. ${good}. ${rescued}`,
      { cause, remedy: 'make room and go on from there with resumeFromCheckpoint' },
    );
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
