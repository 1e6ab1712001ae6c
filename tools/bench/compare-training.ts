import { goldenRuns, replayTraining, type GoldenStep } from '../../packages/trainer/src/testing/golden';

/** How far steps done here are from the recorded ones. */
export interface TrainingComparison {
  readonly largestLossDifference: number;
  readonly largestRelativeNormDifference: number;
  readonly steps: readonly GoldenStep[];
}

/** Does the recorded steps of a folder of tools/python/golden/training.py on the open backend, with both optimisers. */
export async function compareTraining(folder: string): Promise<Record<string, TrainingComparison>> {
  const { runs } = goldenRuns(folder);
  const compared: Record<string, TrainingComparison> = {};
  for (const name of ['adamw_torch', 'paged_adamw_8bit'] as const) {
    const golden = runs[name]!.steps;
    const { steps } = await replayTraining(folder, name);
    compared[name] = {
      largestLossDifference: Math.max(...steps.map((step, i) => Math.abs(step.loss - golden[i]!.loss))),
      largestRelativeNormDifference: Math.max(
        ...steps.map((step, i) => Math.abs(step.gradNorm / golden[i]!.gradNorm - 1)),
      ),
      steps,
    };
  }
  return compared;
}
