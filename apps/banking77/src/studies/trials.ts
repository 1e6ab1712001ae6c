import { createStudy, MedianPruner, NopPruner, RandomSampler, TPESampler, type Trial } from '@qlora-js/hpo';
import { SEARCH_SPACES } from '@qlora-js/finetune';
import { markdownTable, meanInterval, shownInterval, type MeanInterval } from './statistics';
import type { Study } from './study';
import type { TrainingRow } from './training-rows';

const SPACE = SEARCH_SPACES.reference;
const TRIALS = [5, 10, 20];
const REPEATS = 200;
/** None of the repetitions' seeds, which would draw the table in its own order. */
const TABLE_SEED = 2 ** 20;

/** What more trials, TPE and pruning buy, re-sampled from one table of trainings. */
export const TRIALS_STUDY: Study = {
  title: 'What trials buy',
  plan: async ({ seeds, trainings }) => {
    const study = await createStudy({ sampler: new RandomSampler({ seed: TABLE_SEED }), direction: 'maximize' });
    const planned = [];
    for (let number = 0; number < trainings; number++) {
      const parameters = suggest(await study.ask());
      planned.push({
        name: `training ${number}`,
        seed: seeds[number % seeds.length]!,
        options: { training: { ...parameters } },
      });
    }
    return planned;
  },
  outcome: async (rows) => {
    const ways: { name: string; trials: number; f1: MeanInterval; share: MeanInterval }[] = [];
    for (const trials of TRIALS.filter((count) => count <= rows.length)) {
      for (const sampler of ['random', 'TPE'] as const) {
        for (const pruned of [false, true]) {
          const searches: Searched[] = [];
          for (let seed = 0; seed < REPEATS; seed++)
            searches.push(await search(rows, { trials, sampler, pruned, seed }));
          ways.push({
            name: `${trials} trials, ${sampler}${pruned ? ', pruned' : ''}`,
            trials,
            f1: meanInterval(searches.map(({ f1 }) => f1)),
            share: meanInterval(searches.map(({ steps }) => steps)),
          });
        }
      }
    }
    const best = Math.max(...rows.map(({ test }) => test.f1));
    const apart = (one: MeanInterval, other: MeanInterval): boolean => one.low > other.high || one.high < other.low;
    const of = (name: string): MeanInterval => ways.find((way) => way.name === name)!.f1;
    const said = TRIALS.filter((count) => count <= rows.length).map((count) => {
      const [random, tpe] = [of(`${count} trials, random`), of(`${count} trials, TPE`)];
      const verdict = apart(random, tpe) ? 'their intervals are apart' : 'no significant difference';
      return `With ${count} trials random search comes to ${shownInterval(random)}, TPE to ${shownInterval(tpe)}: ${verdict}.`;
    });
    return {
      table: `${markdownTable(
        ['search', 'test F1 of its choice', 'trainings that it costs'],
        ways.map(({ name, f1, share }) => [name, shownInterval(f1), shownInterval(share, 1)]),
      )}\n\nEach search is repeated ${REPEATS} times. A suggestion stands for the nearest training of the table that the search has not had; its choice is the highest validation F1. Costs count pruned trainings by the share of their steps. Intervals are those of the mean over the repetitions: how well the table of ${rows.length} trainings stands for others is not in them.`,
      findings: `The best of all ${rows.length} trainings has a test F1 of ${best.toFixed(4)}. ${said.join(' ')}`,
      chart: {
        label: 'Test F1 of what searches choose',
        x: 'test F1',
        rows: ways.map(({ name, f1 }) => ({ name, ...f1 })),
        zero: false,
      },
    };
  },
};

type Parameters = Readonly<
  Record<'learningRate' | 'perDeviceTrainBatchSize' | 'numTrainEpochs' | 'weightDecay' | 'warmupSteps', number>
>;

function suggest(trial: Trial): Parameters {
  const { learningRate, batchSizes, numTrainEpochs, weightDecay, warmupSteps } = SPACE;
  return {
    learningRate: trial.suggestFloat('learning_rate', ...learningRate, { log: true }),
    perDeviceTrainBatchSize: trial.suggestCategorical('batch_size', [...batchSizes]),
    numTrainEpochs: trial.suggestInt('num_train_epochs', ...numTrainEpochs),
    weightDecay: trial.suggestFloat('weight_decay', ...weightDecay),
    warmupSteps: trial.suggestInt('warmup_steps', warmupSteps[0], warmupSteps[1], { step: warmupSteps[2] }),
  };
}

/** What a search over the table came to. */
interface Searched {
  /** Test F1 of the training with the highest validation F1. */
  readonly f1: number;
  /** Trainings' worth of steps. */
  readonly steps: number;
}

/** A search whose trials are looked up in the table instead of trained. */
export async function search(
  rows: readonly TrainingRow[],
  way: { readonly trials: number; readonly sampler: 'random' | 'TPE'; readonly pruned: boolean; readonly seed: number },
): Promise<Searched> {
  const { trials, sampler, pruned, seed } = way;
  const study = await createStudy({
    direction: 'maximize',
    sampler: sampler === 'TPE' ? new TPESampler({ seed }) : new RandomSampler({ seed }),
    pruner: pruned ? new MedianPruner() : new NopPruner(),
  });
  const left = new Set(rows);
  let steps = 0;
  let best: { readonly value: number; readonly row: TrainingRow } | undefined;
  for (let number = 0; number < trials; number++) {
    const trial = await study.ask();
    const row = nearest(left, suggest(trial));
    left.delete(row);
    const last = row.curve.at(-1)!;
    const end = row.curve.findIndex(({ eval_f1 }, report) => {
      if (report === row.curve.length - 1) return false;
      trial.report(eval_f1, report);
      return trial.shouldPrune();
    });
    if (end >= 0) {
      steps += row.curve[end]!.step / last.step;
      await study.tell(trial, undefined, { state: 'PRUNED' });
      continue;
    }
    steps++;
    const value = Math.max(...row.curve.map(({ eval_f1 }) => eval_f1));
    if (best === undefined || value > best.value) best = { value, row };
    await study.tell(trial, value);
  }
  return { f1: best?.row.test.f1 ?? NaN, steps };
}

/** The row whose parameters lie nearest, each by its range, the learning rate by its logarithm. */
function nearest(rows: Iterable<TrainingRow>, wanted: Parameters): TrainingRow {
  const { learningRate, numTrainEpochs, weightDecay, warmupSteps } = SPACE;
  const within = (value: number, [low, high]: readonly [number, number, ...unknown[]]): number =>
    (value - low) / (high - low);
  const place = (parameters: Readonly<Record<string, number | string>>): number[] => [
    within(Math.log(Number(parameters['learningRate'])), [Math.log(learningRate[0]), Math.log(learningRate[1])]),
    within(Number(parameters['numTrainEpochs']), numTrainEpochs),
    within(Number(parameters['weightDecay']), weightDecay),
    within(Number(parameters['warmupSteps']), warmupSteps),
    SPACE.batchSizes.indexOf(Number(parameters['perDeviceTrainBatchSize'])) / (SPACE.batchSizes.length - 1),
  ];
  const target = place(wanted);
  let best: { readonly row: TrainingRow; readonly distance: number } | undefined;
  for (const row of rows) {
    const distance = place(row.parameters).reduce((sum, value, axis) => sum + (value - target[axis]!) ** 2, 0);
    if (best === undefined || distance < best.distance) best = { row, distance };
  }
  if (best === undefined) throw new RangeError('the table has no training left');
  return best.row;
}
