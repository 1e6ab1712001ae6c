import { availableParallelism, freemem, totalmem } from 'node:os';
import { bytesSource, loadTextDataset } from '@qlora-js/data';
import { prepareClassifier, SILENT, trainAdapter, type Output } from '@qlora-js/finetune';
import { formatBytes, openDevice, type Device } from '@qlora-js/kernels';
import { BACKENDS, TERMINAL_OPTIONS } from '../options/train-options';
import type { OptionTable, OptionValues } from '../options/spec';

/** Options of `doctor`. */
export const DOCTOR_OPTIONS = {
  backend: {
    kind: 'choice',
    choices: BACKENDS,
    default: 'auto',
    group: 'What to look at:',
    basic: true,
    help: 'where to compute',
  },
  selftest: {
    kind: 'switch',
    default: false,
    group: 'What to look at:',
    basic: true,
    help: 'train a few steps here and on the plain CPU backend, compare them, and time a step',
  },
  json: TERMINAL_OPTIONS.json,
} as const satisfies OptionTable;

/** What `doctor` is told. */
export type DoctorValues = OptionValues<typeof DOCTOR_OPTIONS>;

/**
 * Steps of the self-test, of which the second is timed: the first one compiles. The loss of an evaluation after the first shows its
 * update, so the CPU backend, the reference, which takes most of the time, does that one alone.
 */
const STEPS = 2;

/** Largest relative difference of losses that products in float16 or another order of sums explain. */
const TOLERANCE = { float16: 2e-2, float32: 1e-3 } as const;

/** One shape that was trained on. */
export interface SelfTestRow {
  /** Rows a step, and the longest text's words. */
  readonly shape: string;
  /** Largest relative difference between the losses here and on the CPU backend. */
  readonly difference: number;
  /** Milliseconds of the fastest step. */
  readonly milliseconds: number;
}

/** Says what there is, what would be used and why; with `selftest` whether it computes what it should. True where all is well. */
export async function doctor({ backend, selftest, json }: DoctorValues, output: Output): Promise<boolean> {
  const said: string[] = [];
  const device = await openDevice({ backend, log: (line) => said.push(line) });
  const report = device.report();
  const { info } = device;
  const machine = { cores: availableParallelism(), memoryBytes: totalmem(), freeBytes: freemem() };
  if (!json) {
    output.line(report);
    for (const line of said) output.warn(line);
    output.line(
      `machine: ${machine.cores} cores, ${formatBytes(machine.memoryBytes)} memory, ${formatBytes(machine.freeBytes)} of it free`,
    );
    if (info.backend === 'wasm' && machine.cores > 1)
      output.line(`--threads ${machine.cores} shares each batch out to all cores`);
    if (info.software) output.warn('this GPU is imitated by the CPU: --backend wasm is faster');
  }
  device.dispose();
  const rows = selftest ? await selfTest(info.backend, output) : [];
  const tolerance = TOLERANCE[info.computeDtype];
  const well = rows.every(({ difference }) => difference <= tolerance);
  if (json) console.log(JSON.stringify({ device: info, machine, selftest: rows, tolerance, well, said }));
  for (const { shape, difference, milliseconds } of json ? [] : rows) {
    const verdict = difference <= tolerance ? 'as it should be' : `over ${tolerance}: please report this`;
    output.line(
      `${shape.padEnd(20)} losses differ by ${difference.toExponential(1)} (${verdict}), a step takes ${milliseconds.toFixed(1)} ms`,
    );
  }
  return well;
}

/** Shapes that lead to different kernels: few rows and many, short texts and long. */
const SHAPES = [
  { rows: 2, words: 3 },
  { rows: 8, words: 12 },
  { rows: 2, words: 40 },
] as const;

async function selfTest(backend: Device['backend'], output: Output): Promise<SelfTestRow[]> {
  const rows: SelfTestRow[] = [];
  const bar = output.bar('self-test', SHAPES.length * 2);
  for (const [index, shape] of SHAPES.entries()) {
    const reference = await steps('cpu', shape, 1);
    bar.update(2 * index + 1);
    const own = await steps(backend, shape, STEPS);
    bar.update(2 * index + 2);
    const differences = reference.losses.map((loss, index) => Math.abs(own.losses[index]! - loss) / Math.abs(loss));
    rows.push({
      shape: `${shape.rows} rows, ${shape.words} words`,
      // NaN is no small difference.
      difference: differences.some(Number.isNaN) ? Infinity : Math.max(...differences),
      milliseconds: own.milliseconds,
    });
  }
  bar.stop();
  return rows;
}

/** Losses of the first step of the embedded base, without dropout, and after it, and the time of the fastest of `count` steps. */
async function steps(
  backend: Device['backend'],
  { rows, words }: (typeof SHAPES)[number],
  count: number,
): Promise<{ readonly losses: readonly number[]; readonly milliseconds: number }> {
  const device = await openDevice({ backend });
  try {
    const text = (row: number): string =>
      Array.from({ length: words - (row % 2) }, (_, word) => `word${(row * 7 + word) % 50}`).join(' ');
    const csv = Array.from({ length: rows }, (_, row) => `${text(row)},${row % 2 === 0 ? 'even' : 'odd'}`).join('\n');
    const data = await loadTextDataset(bytesSource(`text,label\n${csv}\n`, 'selftest.csv'), {
      validation: 0,
      testShare: 0,
    });
    const context = await prepareClassifier({
      data: { ...data, validation: data.train, test: data.train },
      device,
      seed: 0,
      lora: { loraDropout: 0 },
      training: {
        maxSteps: count,
        evalSteps: 1,
        saveSteps: 1,
        loggingSteps: 1,
        perDeviceTrainBatchSize: rows,
        warmupSteps: 0,
        learningRate: 1e-3,
      },
      output: SILENT,
    });
    const times: number[] = [];
    let began = 0;
    const { trainer } = await trainAdapter(context, {
      adapterName: 'selftest',
      label: 'self-test',
      callbacks: [
        {
          onStepBegin: () => void (began = performance.now()),
          onStepEnd: async () => {
            await device.synchronize();
            times.push(performance.now() - began);
          },
        },
      ],
    });
    context.model.dispose();
    const first = trainer.state.logHistory.filter(({ step }) => step === 1);
    const losses = (['loss', 'eval_loss'] as const).map((key) =>
      Number(first.find((row) => row[key] !== undefined)?.[key]),
    );
    return { losses, milliseconds: Math.min(...times) };
  } finally {
    device.dispose();
  }
}
