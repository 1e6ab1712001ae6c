import { join } from 'node:path';
import { defaultsOf, TRAIN_OPTIONS, UsageError, type OwnCommand, type OptionValues } from '@qlora-js/cli';
import type { TextDataset } from '@qlora-js/data';
import { findBase, loadData } from '@qlora-js/finetune/node';
import { writeFileAtomic } from '@qlora-js/hub/node';
import { openDevice } from '@qlora-js/kernels';
import { intervalSvg } from '@qlora-js/report';
import { OVERFITTING } from './overfitting';
import { QUANTIZATION } from './quantization';
import type { Study, StudyOutcome } from './study';
import { inShard, parseShard } from './shard';
import { doTrainings, rowsOf, type TrainingRow } from './training-rows';
import { TRIALS_STUDY } from './trials';

const STUDIES: Readonly<Record<string, Study>> = {
  quantization: QUANTIZATION,
  trials: TRIALS_STUDY,
  overfitting: OVERFITTING,
};

const SIZE = 'Size:';
const { base, data, backend, seed, maxLength, learningRate, numTrainEpochs, maxSteps, evalSteps, ...others } =
  TRAIN_OPTIONS;
const { perDeviceTrainBatchSize, perDeviceEvalBatchSize, warmupSteps, stratify, testSize, quiet, json, progress } =
  others;

/** Options of `study`. */
const STUDY_OPTIONS = {
  ...{ base, data, backend },
  outputDir: { ...others.outputDir, default: 'docs/studies', help: 'where results, table, chart and findings go' },
  seeds: {
    kind: 'number',
    integer: true,
    min: 1,
    default: 3,
    group: SIZE,
    basic: true,
    help: 'seeds of each training',
  },
  trainings: {
    kind: 'number',
    integer: true,
    min: 5,
    default: 300,
    group: SIZE,
    basic: true,
    help: 'trainings of the table that `trials` draws from',
  },
  epochs: {
    kind: 'number',
    integer: true,
    min: 3,
    default: 10,
    group: SIZE,
    basic: true,
    help: 'epochs of `overfitting`',
  },
  shard: {
    kind: 'text',
    placeholder: 'K/N',
    default: undefined,
    group: SIZE,
    help: 'every Nth training from the Kth on, so that N processes share a study; they write to one result file',
  },
  ...{ seed, maxLength, learningRate, numTrainEpochs, maxSteps, evalSteps },
  ...{ perDeviceTrainBatchSize, perDeviceEvalBatchSize, warmupSteps, stratify, testSize, quiet, json, progress },
} as const;

/** What `study` is told. */
type StudyValues = OptionValues<typeof STUDY_OPTIONS>;

/** `study quantization|trials|overfitting`; `findOwnData` finds data by words of this example. */
export function studyCommand(
  findOwnData: (
    values: Pick<StudyValues, 'data' | 'seed' | 'testSize' | 'stratify'>,
  ) => Promise<TextDataset | undefined>,
): OwnCommand<StudyValues> {
  return {
    name: 'study',
    description: `answers a question by real trainings: ${Object.keys(STUDIES).join(', ')}`,
    table: STUDY_OPTIONS,
    defaults: defaultsOf(STUDY_OPTIONS),
    words: ['<name>', 'which study'],
    run: async ({ values, words }, output) => {
      const [name] = words;
      const study = STUDIES[name!];
      if (study === undefined)
        throw new UsageError(
          'USAGE',
          `there is no study ${JSON.stringify(name)}; there are ${Object.keys(STUDIES).join(', ')}`,
          { value: name },
        );
      const { outputDir, seeds: count, trainings, epochs } = values;
      const shard = parseShard(values.shard);
      const found = await findOwnData(values);
      const data =
        found ??
        (await loadData(values.data!, { seed: values.seed, stratify: values.stratify, validation: values.testSize }));
      const seeds = Array.from({ length: count }, (_, index) => values.seed + index);
      const device = await openDevice({ backend: values.backend, log: (line) => output.warn(line) });
      try {
        output.line(device.report());
        const padding = { maxLength: values.maxLength, paddingSide: 'right' } as const;
        const model = await findBase(values.base, { padding });
        const planned = await study.plan({ seeds, trainings, epochs, rows: data.train.numRows });
        const file = join(outputDir, `${name}.jsonl`);
        const training = {
          learningRate: values.learningRate,
          numTrainEpochs: values.numTrainEpochs,
          maxSteps: values.maxSteps,
          evalSteps: values.evalSteps,
          saveSteps: values.evalSteps,
          perDeviceTrainBatchSize: values.perDeviceTrainBatchSize,
          perDeviceEvalBatchSize: values.perDeviceEvalBatchSize,
          warmupSteps: values.warmupSteps,
        };
        const common = { padding: { maxLength: values.maxLength }, training };
        await doTrainings(inShard(planned, shard), file, {
          ...{ base: model, data, device, output, common },
          shared: shard.count > 1,
        });
        const rows = rowsOf(planned, file);
        if (rows.length < planned.length) {
          output.line(
            `${rows.length} of ${planned.length} trainings are done: the last shard to end writes what they say`,
          );
          return;
        }
        const outcome = await study.outcome(rows);
        await writeOutcome(join(outputDir, name!), { study, outcome, rows, base: model.id, data: data.name });
        output.line(outcome.findings);
        output.line(`written: ${join(outputDir, `${name}.md`)}`);
      } finally {
        device.dispose();
      }
    },
  };
}

interface WrittenStudy {
  readonly study: Study;
  readonly outcome: StudyOutcome;
  readonly rows: readonly TrainingRow[];
  readonly base: string;
  readonly data: string;
}

/** Findings, table and chart, of the rows in the result file alone. */
async function writeOutcome(path: string, { study, outcome, rows, base, data }: WrittenStudy): Promise<void> {
  const { table, findings, chart } = outcome;
  const name = path.split(/[\\/]/).at(-1)!;
  const machines = [...new Set(rows.map(({ machine }) => machine))].join('; ');
  const seconds = rows.reduce((sum, row) => sum + row.seconds, 0);
  await writeFileAtomic(`${path}.svg`, `${intervalSvg(chart)}\n`);
  await writeFileAtomic(
    `${path}.md`,
    `# ${study.title}

${findings}

![${chart.label}](${name}.svg)

${table}

${rows.length} trainings of ${base} on ${data}, ${argumentsOf(rows)}, ${seconds.toFixed(0)} s in all, on ${machines}. Each is a line of [${name}.jsonl](${name}.jsonl), which all of
this is made from by \`npm run banking77 -- study ${name}\`.
`,
  );
}

/** Arguments that are the same in every row. */
function argumentsOf(rows: readonly TrainingRow[]): string {
  const common = (key: string, word: string): string => {
    const values = new Set(rows.map(({ parameters }) => parameters[key]));
    return values.size === 1 ? `${word} ${[...values].join('')}` : `${word} varied`;
  };
  return [
    common('learningRate', 'learning rate'),
    common('perDeviceTrainBatchSize', 'batch'),
    common('numTrainEpochs', 'epochs'),
  ].join(', ');
}
