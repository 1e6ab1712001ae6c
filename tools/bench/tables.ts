import { CEILINGS, countStep, floorSeconds } from './counts';
import {
  readChanges,
  readResult,
  WITHOUT,
  withoutResult,
  type AccuracyResults,
  type AttentionErrors,
  type CpuStepResults,
  type EpochResults,
  type PeerResults,
  type ProductErrors,
  type StepResults,
  type StepRow,
  type TrainingSteps,
  type TileResults,
} from './results';

const SHAPES = ['16x24', '16x128', '64x128'] as const;

type Cell = string | number | undefined;
const cell = (value: Cell): string =>
  typeof value === 'number' ? (value >= 100 ? value.toFixed(0) : value.toPrecision(3)) : (value ?? '-');

export function table(head: readonly string[], rows: readonly (readonly Cell[])[]): string {
  const line = (cells: readonly Cell[]): string => `| ${cells.map(cell).join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}

const sizeOf = (shape: string): [number, number] => shape.split('x').map(Number) as [number, number];
const floorMs = (shape: string): number =>
  countStep(...sizeOf(shape)).reduce((total, work) => total + floorSeconds(work) * 1e3, 0);

/** Every table of docs/performance.md by the name of its place there. */
export function allTables(): Record<string, string> {
  return {
    counts: counts(),
    step: steps(),
    evaluation: evaluations(),
    epoch: epochs(),
    accuracy: accuracies(),
    kernels: kernels(),
    features: withoutFeatures(),
    activations: activations(),
    smollm2: smolLm2(),
    memory: driverMemory(),
    changes: changes(),
    tiles: tiles(),
    errors: errors(),
    cpu: cpuSteps(),
  };
}

/** A step on devices that lack what only some have. */
function withoutFeatures(): string {
  const measured = [[], ...WITHOUT].map((features) => ({
    features,
    step: readResult<StepResults>(features.length === 0 ? 'step.json' : withoutResult(features)),
  }));
  return table(
    ['device without', ...SHAPES.map((shape) => `${shape}, ms`)],
    measured.map(({ features, step }) => [
      features.length === 0 ? 'nothing' : features.join(', '),
      ...SHAPES.map(
        (shape) =>
          step?.results.find(
            (row) =>
              row.shape === shape &&
              row.evaluation !== true &&
              row.checkpointing !== true &&
              row.activationDtype !== 'float16',
          )?.planMs,
      ),
    ]),
  );
}

function counts(): string {
  return SHAPES.map((shape) => {
    const works = countStep(...sizeOf(shape));
    const rows = works.map((work): Cell[] => [
      work.work,
      String(work.passes),
      work.flop / 1e9,
      work.bytes / 1e6,
      floorSeconds(work) * 1e3,
    ]);
    rows.push([
      'all',
      String(works.reduce((total, { passes }) => total + passes, 0)),
      works.reduce((total, { flop }) => total + flop, 0) / 1e9,
      works.reduce((total, { bytes }) => total + bytes, 0) / 1e6,
      floorMs(shape),
    ]);
    return `${shape.replace('x', ' x ')}:\n\n${table(['work', 'passes', 'GFLOP', 'MB', 'floor, ms'], rows)}`;
  }).join('\n\n');
}

const machineOf = ({ adapter, driver, runtime }: StepResults['device']): string => `${adapter}, ${driver}, ${runtime}`;
const keptAs = (row: StepRow): string =>
  row.checkpointing === true ? 'checkpointing' : (row.activationDtype ?? 'float32');
const isStep = (row: StepRow): boolean => row.evaluation !== true;

function steps(): string {
  const peer = readResult<PeerResults>('peer.json');
  const blocks: string[] = [];
  for (const name of ['step.json', 'step-disable_robustness.json']) {
    const step = readResult<StepResults>(name);
    if (step === undefined) continue;
    const rows = step.results.filter(isStep).map((row): Cell[] => {
      const beside = peer?.steps.find((p) => p.shape === row.shape && p.checkpointing === row.checkpointing);
      return [
        row.shape.replace('x', ' x '),
        keptAs(row),
        row.eagerMs,
        row.planMs,
        row.checkpointing === true ? undefined : floorMs(row.shape),
        row.dispatches === undefined ? undefined : String(row.dispatches),
        row.issueMs,
        row.eagerPeakGiB,
        row.planPeakGiB,
        ...(peer === undefined ? [] : [beside?.ms, beside?.peakGiB]),
      ];
    });
    const toggles = step.dawnToggles.length === 0 ? '' : `, Dawn's ${step.dawnToggles.join(', ')}`;
    const head = ['batch x tokens', 'activations', 'eager, ms', 'plan, ms', 'floor, ms', 'dispatches'];
    head.push('host, ms', 'eager peak, GiB', 'plan peak, GiB');
    if (peer !== undefined) head.push('Python, ms', 'Python peak, GiB');
    blocks.push(`${machineOf(step.device)}${toggles}:\n\n${table(head, rows)}`);
  }
  return blocks.join('\n\n');
}

function cpuSteps(): string {
  const results = readResult<CpuStepResults>('cpu-step.json');
  if (results === undefined) return 'not measured';
  const { processor, cores } = results.device;
  const rows = results.runs.flatMap(({ node, shape, threads, peer }): Cell[][] => {
    const line = (what: string, count: number, ms: readonly number[]): Cell[] => {
      const sorted = [...ms].sort((a, b) => a - b);
      return [shape.replace('x', ' x '), what, String(count), sorted[ms.length >> 1], sorted[0], sorted.at(-1)];
    };
    return [
      ...threads.map((row) => line(`wasm, Node.js ${node}`, row.threads, row.ms)),
      ...(peer === undefined ? [] : [line(`Python, in turn with Node.js ${node}`, peer.threads, peer.ms)]),
    ];
  });
  const versions = results.runs.flatMap(({ peer }) => peer?.versions ?? []).at(-1);
  const head = ['batch x tokens', 'stack', 'threads', 'ms a step, median', 'least', 'most'];
  return `${processor}, ${cores} cores${versions === undefined ? '' : `; ${versions}`}:\n\n${table(head, rows)}`;
}

function evaluations(): string {
  const peer = readResult<PeerResults>('peer.json');
  const rows: Cell[][] = [];
  for (const name of ['step.json', 'step-disable_robustness.json']) {
    const step = readResult<StepResults>(name);
    for (const row of step?.results.filter(({ evaluation }) => evaluation === true) ?? []) {
      const beside = peer?.evaluations.find(({ shape }) => shape === row.shape);
      rows.push([
        row.shape.replace('x', ' x '),
        step!.dawnToggles.join(', ') || 'none',
        row.eagerMs,
        row.planMs,
        row.tokensPerSecond,
        ...(peer === undefined ? [] : [beside?.tokensPerSecond]),
      ]);
    }
  }
  const head = ['batch x tokens', 'Dawn toggles', 'eager, ms', 'plan, ms', 'tokens/s'];
  return table(peer === undefined ? head : [...head, 'Python, tokens/s'], rows);
}

function epochs(): string {
  const rows = ['epoch.json', 'epoch-disable_robustness.json'].flatMap((name) => {
    const measured = readResult<EpochResults>(name);
    return (measured?.epochs ?? []).map((epoch, index): Cell[] => [
      name.includes('disable_robustness') ? 'disable_robustness' : 'none',
      String(index + 1),
      epoch.epoch_time_sec,
      String(Math.floor(epoch.tokens_per_sec_est)),
      String(Math.floor(epoch.real_tokens_per_sec)),
      epoch.gpu_max_mem_allocated_GiB,
    ]);
  });
  return table(['Dawn toggles', 'epoch', 'seconds', 'tokens_per_sec_est', 'real tokens/s', 'peak, GiB'], rows);
}

function accuracies(): string {
  const measured = readResult<AccuracyResults>('banking77-accuracy.json');
  if (measured === undefined) return 'Not measured.';
  const rates = [...new Set(measured.results.map(({ learningRate }) => learningRate))];
  const rows = rates.map((rate): Cell[] => {
    const of = measured.results.filter(({ learningRate }) => learningRate === rate);
    const list = (values: readonly number[]): string => values.map((value) => value.toFixed(4)).join(', ');
    return [rate.toExponential(), list(of.map((run) => run.test_accuracy)), list(of.map((run) => run.test_f1))];
  });
  return `${measured.device.adapter}:\n\n${table(['learning rate', 'test accuracy, seeds 0, 1, 2', 'test F1, weighted'], rows)}`;
}

function kernels(): string {
  const step = readResult<StepResults>('step.json');
  if (step === undefined) return 'Not measured.';
  const names = [...new Set(Object.values(step.kernels).flatMap(({ total }) => total.map(({ kernel }) => kernel)))];
  const of = (shape: string, kernel: string) => step.kernels[shape]?.total.find((row) => row.kernel === kernel);
  const rows = names.map((kernel): Cell[] => [
    kernel,
    String(of('16x24', kernel)?.dispatches ?? 0),
    ...SHAPES.map((shape) => (of(shape, kernel)?.microseconds ?? 0) / 1e3),
  ]);
  rows.sort((a, b) => (b[4] as number) - (a[4] as number));
  rows.push([
    'all',
    ...[step.kernels['16x24']?.total.reduce((sum, { dispatches }) => sum + dispatches, 0)].map(String),
    ...SHAPES.map((shape) => (step.kernels[shape]?.total.reduce((sum, row) => sum + row.microseconds, 0) ?? 0) / 1e3),
  ]);
  return table(['kernel', 'dispatches at 16 x 24', ...SHAPES.map((shape) => `${shape.replace('x', ' x ')}, ms`)], rows);
}

/** Peak and time by what activations wait in, from the newest result that has both. */
function activations(): string {
  const measured = [
    readResult<StepResults>('step.json'),
    ...readChanges()
      .map(({ step }) => step)
      .reverse(),
  ];
  const step = measured.find((one) => one?.results.some(({ activationDtype }) => activationDtype === 'float16'));
  return step === undefined ? 'Not measured.' : planRows(step);
}

/** A step of SmolLM2-135M's shape. */
function smolLm2(): string {
  const step = readResult<StepResults>('step-smollm2.json');
  return step === undefined ? 'Not measured.' : planRows(step);
}

/** Memory, time and dispatches of a step's plans, by shape and by what activations wait in. */
function planRows(step: StepResults): string {
  const rows = step.results
    .filter(isStep)
    .map((row): Cell[] => [
      row.shape.replace('x', ' x '),
      keptAs(row),
      row.planPeakGiB,
      row.planMs,
      String(row.dispatches),
    ]);
  return `${machineOf(step.device)}:\n\n${table(['batch x tokens', 'activations', 'plan peak, GiB', 'plan, ms', 'dispatches'], rows)}`;
}

/** What `device.memory()` counts beside what the driver does, while a plan runs. */
function driverMemory(): string {
  const step = readResult<StepResults>('step.json');
  const measured = step?.results.filter((row) => isStep(row) && row.driverGiB !== undefined) ?? [];
  if (step === undefined || measured.length === 0) return 'Not measured.';
  const rows = measured.map((row): Cell[] => [
    row.shape.replace('x', ' x '),
    keptAs(row),
    row.planPeakGiB,
    row.allocatedGiB,
    row.driverGiB,
    row.driverGiB! - row.allocatedGiB!,
  ]);
  const head = [
    'batch x tokens',
    'activations',
    'plan peak, GiB',
    'allocated, GiB',
    'driver, GiB',
    'driver beyond, GiB',
  ];
  return table(head, rows);
}

function changes(): string {
  const rows = readChanges().map(({ name, step }): Cell[] => [
    name,
    ...SHAPES.map((shape) => step.results.find((row) => row.shape === shape && isStep(row))?.planMs),
  ]);
  return table(['after', ...SHAPES.map((shape) => `${shape.replace('x', ' x ')}, ms`)], rows);
}

function tiles(): string {
  const measured = readResult<TileResults>('matmul4bit-tiles.json');
  if (measured === undefined) return 'Not measured.';
  const shapes = new Map<string, TileResults['results'][number][]>();
  for (const row of measured.results) {
    const shape = `${row.rows} x ${row.N} x ${row.K}${row.transposed ? ', transposed' : ''}`;
    shapes.set(shape, [...(shapes.get(shape) ?? []), row]);
  }
  const rows = [...shapes].map(([shape, measuredAt]): Cell[] => {
    const [best, second] = measuredAt.sort((a, b) => b.teraflops - a.teraflops);
    const text = (row: typeof best): Cell =>
      row && `${row.tile}, ${row.left}, ${row.right === 'codes' ? 'in the tile' : 'first'}, ${row.splits}`;
    return [shape, best?.teraflops, text(best), second?.teraflops, text(second), String(measuredAt.length)];
  });
  const tried = 'tile, x, W dequantised, splits';
  return table(['rows x N x K', 'TFLOP/s', tried, 'second', tried, 'tried'], rows);
}

function errors(): string {
  const checked = readResult<ProductErrors>('product-errors.json');
  if (checked === undefined) return 'Not measured.';
  const worst = new Map<string, { count: number; error: number }>();
  for (const { name, error } of checked.results) {
    const kind = name.replace(/ \d.*$/, '');
    const known = worst.get(kind) ?? { count: 0, error: 0 };
    worst.set(kind, { count: known.count + 1, error: Math.max(known.error, error) });
  }
  const rows = [...worst].map(([kind, { count, error }]): Cell[] => [kind, String(count), error.toExponential(1)]);
  const attention = readResult<AttentionErrors>('attention-errors.json')?.results ?? [];
  for (const part of ['forward', 'dq', 'dk', 'dv'] as const) {
    if (attention.length === 0) break;
    const error = Math.max(...attention.map((row) => row[part]));
    rows.push([`attention ${part}`, String(attention.length), error.toExponential(1)]);
  }
  const steps = readResult<TrainingSteps>('training-steps.json')?.runs ?? {};
  for (const [optimizer, run] of Object.entries(steps)) {
    rows.push([
      `loss of recorded steps, ${optimizer} (absolute)`,
      `${run.steps.length} steps`,
      run.largestLossDifference.toExponential(1),
    ]);
  }
  return table(['product', 'shapes', 'largest relative error'], rows);
}

/** Where the ceilings of the floors come from, in a line. */
export const ceilings = `${CEILINGS.flopPerSecond / 1e12} TFLOP/s and ${CEILINGS.bytesPerSecond / 1e12} TB/s`;
