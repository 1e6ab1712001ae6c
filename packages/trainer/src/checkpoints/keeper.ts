import type { TrainingArguments } from '../arguments/training-arguments';
import { TrainerError } from '../errors';
import type { TrainableModel, UploadedBatch } from '../model/trainable-model';
import type { LogRow, TrainerState } from '../state/trainer-state';
import type { CheckpointStore } from './store';

export const TRAINER_STATE = 'trainer_state.json';

/**
 * Which checkpoints there are, which is best, and which may go. The newest and the best always stay while a run lasts,
 * so that a limit of one can keep two until the end (transformers, trainer_utils.py, rotate_checkpoints).
 */
export class CheckpointKeeper {
  private readonly kept: string[] = [];

  constructor(
    private readonly store: CheckpointStore,
    private readonly args: TrainingArguments,
  ) {}

  check(): Promise<void> {
    return this.store.check();
  }

  /** Notes an evaluation's metric; true where it is finite and the best so far (strictly, as transformers compares). */
  noteMetric(state: TrainerState, row: LogRow): boolean {
    const { metricForBestModel: name, greaterIsBetter, saveStrategy, loadBestModelAtEnd } = this.args;
    if (saveStrategy === 'no' && !loadBestModelAtEnd) return false;
    const value = row[`eval_${name}`];
    if (value === undefined) {
      const known = Object.keys(row).map((key) => key.replace(/^eval_/, ''));
      throw new TrainerError(
        'BAD_ARGUMENT',
        `metricForBestModel is '${name}', but evaluations give ${known.join(', ')}`,
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

  async save(
    state: TrainerState,
    files: Readonly<Record<string, Uint8Array | string>>,
    best: boolean,
    stateJson: () => string,
  ): Promise<string> {
    const name = `checkpoint-${state.globalStep}`;
    if (best) state.bestModelCheckpoint = name;
    const place = await this.store.save(name, { ...files, [TRAINER_STATE]: stateJson() });
    this.kept.push(name);
    await this.rotate(state, [name]);
    return place;
  }

  async loadBest<Batch extends UploadedBatch>(state: TrainerState, model: TrainableModel<Batch>): Promise<void> {
    if (!this.args.loadBestModelAtEnd || state.bestModelCheckpoint === null) return;
    await model.loadFiles(await this.store.open(state.bestModelCheckpoint));
  }

  /** After the run the newest checkpoint needs no keeping for its own sake. */
  async finish(state: TrainerState): Promise<void> {
    if (state.bestModelCheckpoint !== null) await this.rotate(state, []);
  }

  private async rotate(state: TrainerState, protectedNames: readonly string[]): Promise<void> {
    const { saveTotalLimit } = this.args;
    if (saveTotalLimit === null) return;
    for (const name of [...this.kept]) {
      if (this.kept.length <= saveTotalLimit) return;
      if (name === state.bestModelCheckpoint || protectedNames.includes(name)) continue;
      await this.store.remove(name);
      this.kept.splice(this.kept.indexOf(name), 1);
    }
  }
}
