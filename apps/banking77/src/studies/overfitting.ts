import { isSignificant, markdownTable, meanInterval, pairedDifference, shownInterval } from './statistics';
import type { Study } from './study';
import type { CurvePoint, TrainingRow } from './training-rows';

const BATCH = 16;

/** The ways against overfitting; the first is what the others are compared with. */
const WAYS: Readonly<Record<string, { readonly loraDropout: number; readonly weightDecay: number }>> = {
  'dropout 0.1, decay 0.01': { loraDropout: 0.1, weightDecay: 0.01 },
  'dropout 0': { loraDropout: 0, weightDecay: 0.01 },
  'dropout 0.3': { loraDropout: 0.3, weightDecay: 0.01 },
  'decay 0': { loraDropout: 0.1, weightDecay: 0 },
  'decay 0.1': { loraDropout: 0.1, weightDecay: 0.1 },
};

/** Epochs without a better validation loss after which early stopping ends a training. */
const PATIENCE = 2;

/** How far validation and training part, and what helps. */
export const OVERFITTING: Study = {
  title: 'Overfitting',
  plan: ({ seeds, epochs, rows }) => {
    const steps = Math.ceil(rows / BATCH);
    const training = { perDeviceTrainBatchSize: BATCH, numTrainEpochs: epochs, evalSteps: steps, loggingSteps: steps };
    return seeds.flatMap((seed) =>
      Object.entries(WAYS).map(([name, { loraDropout, weightDecay }]) => ({
        name,
        seed,
        options: { lora: { loraDropout }, training: { ...training, saveSteps: steps, weightDecay } },
      })),
    );
  },
  outcome: (rows) => {
    const names = Object.keys(WAYS).filter((name) => rows.some((row) => row.name === name));
    const of = (name: string): TrainingRow[] => rows.filter((row) => row.name === name).sort((a, b) => a.seed - b.seed);
    const first = of(names[0]!);
    const epochs = Math.min(...rows.map(({ curve }) => curve.length));
    const byEpoch = markdownTable(
      ['epoch', ...names.map((name) => `gap, ${name}`), `validation F1, ${names[0]}`],
      Array.from({ length: epochs }, (_, epoch) => [
        String(epoch + 1),
        ...names.map((name) => shownInterval(meanInterval(of(name).map(({ curve }) => gap(curve[epoch]!))), 3)),
        shownInterval(meanInterval(first.map(({ curve }) => curve[epoch]!.eval_f1))),
      ]),
    );
    const stopped = first.map(({ curve }) => stoppedEarly(curve));
    const ways = markdownTable(
      ['way', 'test F1 of the best epoch', 'gap at the end', 'epochs until early stopping', 'validation F1 lost by it'],
      names.map((name) => {
        const early = of(name).map(({ curve }) => stoppedEarly(curve));
        return [
          name,
          shownInterval(meanInterval(of(name).map(({ test }) => test.f1))),
          shownInterval(meanInterval(of(name).map(({ curve }) => gap(curve.at(-1)!))), 3),
          shownInterval(meanInterval(early.map(({ epochs: until }) => until)), 1),
          shownInterval(meanInterval(early.map(({ lost }) => lost))),
        ];
      }),
    );
    const differences = names.slice(1).map((name) => ({
      name,
      ...pairedDifference(
        of(name).map(({ test }) => test.f1),
        first.map(({ test }) => test.f1),
      ),
    }));
    const said = differences.map(
      (difference) =>
        `${difference.name}: ${shownInterval(difference)}, ${isSignificant(difference) ? 'a significant difference' : 'no significant difference'}.`,
    );
    const saved = meanInterval(stopped.map(({ epochs: until }) => epochs - until));
    const lost = meanInterval(stopped.map(({ lost: less }) => less));
    const findings = `Test F1 less that of ${names[0]}, seed by seed, mean and 95 % interval over ${first.length} seeds. ${said.join(' ')} Early stopping after ${PATIENCE} epochs without a lower validation loss saves ${shownInterval(saved, 1)} of ${epochs} epochs and costs ${shownInterval(lost)} of the best validation F1${isSignificant(lost) ? '' : ', which may be chance'}.`;
    return {
      table: `${ways}\n\nThe gap is the validation loss less the mean training loss of the epoch, dropout in it.\n\n${byEpoch}`,
      findings,
      chart: { label: `Test F1 less that of ${names[0]}`, x: 'difference of test F1', rows: differences, zero: true },
    };
  },
};

function gap({ eval_loss, loss }: CurvePoint): number {
  return eval_loss - (loss ?? NaN);
}

/** After which epoch early stopping by the validation loss would have ended, and what F1 it would have missed. */
export function stoppedEarly(curve: readonly CurvePoint[]): { readonly epochs: number; readonly lost: number } {
  let best = 0;
  let epochs = curve.length;
  for (const [epoch, { eval_loss }] of curve.entries()) {
    if (eval_loss < curve[best]!.eval_loss) best = epoch;
    if (epoch - best < PATIENCE) continue;
    epochs = epoch + 1;
    break;
  }
  const highest = (points: readonly CurvePoint[]): number => Math.max(...points.map(({ eval_f1 }) => eval_f1));
  return { epochs, lost: highest(curve) - highest(curve.slice(0, epochs)) };
}
