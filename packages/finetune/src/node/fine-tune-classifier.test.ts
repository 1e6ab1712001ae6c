import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ReportFigures } from '@qlora-js/report';
import { readRunEvents } from '@qlora-js/tracking/node';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { RunReport } from '../saving/report';
import { capture, writeIntents } from '../testing/intents';
import { fineTuneClassifier, type FineTuneFolderOptions } from './fine-tune-classifier';
import { loadTextClassifier } from './load-classifier';

describe('fineTuneClassifier over folders', () => {
  let folder: string;
  let options: FineTuneFolderOptions;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'finetune-'));
    await writeIntents(join(folder, 'data'));
    options = {
      data: join(folder, 'data'),
      dataOptions: { validation: 0.2 },
      backend: 'wasm',
      seed: 0,
      padding: { maxLength: 32 },
      output: { folder: join(folder, 'out') },
      search: { trials: 2, space: 'small' },
      training: { evalSteps: 5, loggingSteps: 5 },
    };
  });
  afterAll(() => rm(folder, { recursive: true }));

  it('searches, trains, saves, tests, predicts at once and from the folder', async () => {
    const log = capture();
    const { report, classifier, dispose } = await fineTuneClassifier({
      ...options,
      tracking: { reportTo: ['tensorboard'], project: 'intents' },
      report: { earlier: { name: 'earlier', figures: { test_accuracy: 0.5 } }, command: 'qlora train' },
      log,
    });
    expect(report.test_accuracy).toBeGreaterThan(0.8);
    const { accuracy } = report.test!.figures;
    expect(accuracy!.low).toBeLessThanOrEqual(accuracy!.estimate);
    expect(report.test!.confusion!.flat().reduce((sum, count) => sum + count, 0)).toBe(15);
    expect(report.rows).toEqual({ train: 36, validation: 9, test: 15 });
    expect(report.search!.trials).toHaveLength(2);
    expect(report.baselines!.majority_class).toBeCloseTo(1 / 3, 10);
    expect(report.manual_forward).toMatchObject({
      inputIdsShape: [1, 32],
      attentionMaskShape: [1, 32],
      outputKeys: ['loss', 'logits'],
      logitsShape: [1, 3],
    });
    expect(report.epochs.length).toBe(report.parameters.numTrainEpochs);
    expect(log.lines.filter((line) => line.startsWith('== ')).map((line) => line.slice(3))).toEqual([
      'Data',
      'Model',
      'Search: 2 trials',
      'Final training',
      'Saving',
      'A forward pass by hand',
      'Test',
    ]);
    const texts = ['i think my card is lost', 'please tell me the exchange rate'];
    const predictions = await classifier.predict(texts, { topK: 2 });
    expect(predictions.map(({ labels }) => labels[0]!.label)).toEqual(['card_lost', 'exchange_rate']);
    expect(predictions[0]!.labels[0]!.probability).toBeGreaterThan(predictions[0]!.labels[1]!.probability);
    await dispose();
    expect(log.lines.filter((line) => line.includes('were not given back'))).toEqual([]);
    expect(log.lines.at(-1)).toMatch(/^memory at the end: 0\.0 MiB in 0 tensors /);

    const out = join(folder, 'out');
    // The best checkpoint of a trial stays, and an adapter can be loaded from it.
    expect(await readdir(join(out, 'checkpoints', 'trial-0'))).toEqual([expect.stringMatching(/^checkpoint-\d+$/)]);
    const config = JSON.parse(await readFile(join(out, 'config.json'), 'utf8')) as Record<string, unknown>;
    expect(config).toMatchObject({
      model_type: 'gpt2',
      id2label: { 0: 'card_lost', 1: 'exchange_rate', 2: 'change_pin' },
      label2id: { card_lost: 0 },
      problem_type: 'single_label_classification',
    });
    expect(JSON.parse(await readFile(join(out, 'metrics.json'), 'utf8'))).toMatchObject({
      test_accuracy: report.test_accuracy,
      versions: { node: process.version },
    });
    expect(await readFile(join(out, 'README.md'), 'utf8')).toContain('| accuracy | ');
    await expectRecords(out, report);
    const loaded = await loadTextClassifier({ first: out, second: out }, { backend: 'wasm' });
    expect(loaded.adapterNames).toEqual(['first', 'second']);
    expect(await loaded.predict(texts, { topK: 2, adapter: 'second' })).toEqual(predictions);
    loaded.dispose();
  });

  /** JSON lines of the final run and of each trial, and a report drawn from them. */
  async function expectRecords(out: string, report: RunReport): Promise<void> {
    const events = await readRunEvents(out);
    const start = events.find((event) => event.event === 'start')!;
    expect(start).toMatchObject({ name: 'final_best_QLoRA-NF4', project: 'intents', group: 'out', jobType: 'final' });
    expect(start.config).toMatchObject({
      model: '@qlora-js/base-mini',
      method: 'QLoRA',
      quantization_4bit: true,
      bnb_4bit_quant_type: 'nf4',
      bnb_double_quant: true,
      bnb_compute_dtype: 'float32',
      phase: 'final_training',
      max_length: 32,
      max_steps: report.log_history.at(-1)!['step'],
      learning_rate: report.parameters.learningRate,
    });
    const logged = new Set(events.flatMap((event) => (event.event === 'log' ? Object.keys(event.metrics) : [])));
    for (const name of [
      ...['loss', 'learning_rate', 'grad_norm', 'skipped_steps', 'epoch', 'eval_loss', 'eval_accuracy', 'eval_f1'],
      ...['loss_gap', 'epoch_time_sec', 'tokens_per_sec_est', 'real_tokens_per_sec', 'gpu_max_mem_allocated_GiB'],
      'total_time_sec',
    ])
      expect(logged).toContain(name);
    expect(events.find((event) => event.event === 'summary')!.values).toMatchObject({
      test_accuracy: report.test_accuracy,
      test_f1: report.test_f1,
      test_loss: report.test_loss,
      best_val_accuracy: report.best_val_accuracy,
    });
    expect(events.find((event) => event.event === 'artifact')!.files.map(({ path }) => path)).toContain(
      'adapter_model.safetensors',
    );
    expect(events.at(-1)).toMatchObject({ event: 'finish', status: 'finished' });
    const trials = report.search!.trials.map(({ number }) => join(out, 'trials', `trial-${number}`));
    for (const [number, trial] of trials.entries()) {
      const ofTrial = await readRunEvents(trial);
      expect(ofTrial[0]).toMatchObject({ name: `trial_${number}`, group: 'out', jobType: 'trial' });
      expect(ofTrial.at(-1)).toMatchObject({ event: 'finish' });
    }
    expect(await readdir(join(out, 'tensorboard'))).toEqual(['final_best_QLoRA-NF4']);
    const shown = JSON.parse(await readFile(join(out, 'report.json'), 'utf8')) as ReportFigures;
    expect(shown).toMatchObject({ state: 'finished', notes: [], test: { rows: 15, accuracy: report.test_accuracy } });
    expect(shown.search!.trials.map(({ params }) => params)).toEqual(report.search!.trials.map(({ params }) => params));
    expect(shown.comparison!.figures[0]).toMatchObject({ earlier: 0.5, now: report.test_accuracy });
    expect(shown.description['command']).toEqual({ command: 'qlora train' });
    expect(shown.saved!.files.map(({ name }) => name)).toContain('adapter_config.json');
    const { readResults } = await import('@qlora-js/report/node');
    const test = (await readResults(out)).test!;
    expect(test.texts).toHaveLength(15);
    expect(test.confidence!.every((value) => value > 1 / 3 && value <= 1)).toBe(true);
  }

  it('refuses a folder with content, and leaves what it did not write when it overwrites', async () => {
    const out = join(folder, 'own');
    const short = { ...options, search: null, training: { maxSteps: 2, evalSteps: 1, perDeviceTrainBatchSize: 4 } };
    const run = async (output: FineTuneFolderOptions['output']): Promise<void> =>
      (await fineTuneClassifier({ ...short, output, report: false })).dispose();
    const starts = async (): Promise<number> =>
      (await readRunEvents(out)).filter(({ event }) => event === 'start').length;
    await run({ folder: out });
    await writeFile(join(out, 'notes.txt'), 'mine');
    await expect(run({ folder: out })).rejects.toMatchObject({ code: 'OUTPUT_NOT_EMPTY' });
    await run({ folder: out, overwrite: true });
    expect(await readFile(join(out, 'notes.txt'), 'utf8')).toBe('mine');
    expect(await starts()).toBe(1);
    expect(await readdir(out)).not.toContain('report.html');
    await run({ folder: out, resume: true });
    expect(await starts()).toBe(2);
    expect(await readdir(join(out, 'checkpoints', 'default'))).toHaveLength(1);
  });

  it('shares batches out to two threads, to the same figures each time', async () => {
    const twice: unknown[] = [];
    for (const name of ['first', 'second']) {
      const log = capture();
      const { report, dispose } = await fineTuneClassifier({
        ...options,
        search: { trials: 1, space: 'small', epochs: 1 },
        training: { ...options.training, numTrainEpochs: 1 },
        threads: 2,
        output: { folder: join(folder, name) },
        log,
      });
      await dispose();
      expect(log.lines.filter((line) => line.startsWith('threads: 2'))).toHaveLength(1);
      expect(report.environment['threads']).toBe(2);
      twice.push([report.test_loss, report.train_loss, report.search?.bestValue]);
    }
    expect(twice[1]).toEqual(twice[0]);
  });

  it('warns of a report that can not be written, and says how a tracker that is down is caught up', async () => {
    const out = join(folder, 'troubled');
    await mkdir(join(out, 'report.html', 'in the way'), { recursive: true });
    const log = capture();
    const { dispose } = await fineTuneClassifier({
      ...options,
      search: null,
      training: { maxSteps: 2, evalSteps: 1, perDeviceTrainBatchSize: 4 },
      tracking: { reportTo: ['mlflow'], env: { MLFLOW_TRACKING_URI: 'http://127.0.0.1:1' }, timing: { retryMs: 1 } },
      output: { folder: out, overwrite: true },
      log,
    });
    await dispose();
    const warnings = log.lines.filter((line) => line.startsWith('warning: '));
    expect(warnings).toEqual([
      expect.stringMatching(/^warning: tracker mlflow: 127\.0\.0\.1:1.*The run goes on, its lines are kept\.$/),
      `warning: not everything has arrived at mlflow; syncRuns, or qlora sync ${out}, sends the rest`,
      expect.stringMatching(/^warning: the report could not be written, everything else is saved: .*report\.html/),
    ]);
    expect(await readdir(out)).toContain('adapter_config.json');
  });

  const failing = async (changed: Partial<FineTuneFolderOptions>): Promise<string> =>
    fineTuneClassifier({ ...options, output: { folder: join(folder, 'never') }, ...changed }).then(
      () => 'no error',
      (error: Error) => error.message,
    );

  it('stops before any work at a base that is not there, a text too long, labels it can not learn, a bad folder', async () => {
    expect(await failing({ base: join(folder, 'nowhere') })).toContain('nowhere');
    expect(await failing({ padding: { maxLength: 512 } })).toContain('maxLength 512 is over the 256 positions');
    expect(await failing({ output: { folder: join(folder, 'data', 'train.csv', 'out') } })).toContain('train.csv');
    expect(await failing({ tracking: { reportTo: ['wandbb'] } })).toContain('there is no tracker "wandbb"');
    const keyless = { reportTo: ['wandb'], env: { HOME: folder } };
    const unmade = { folder: join(folder, 'unmade') };
    expect(await failing({ tracking: keyless, output: unmade })).toContain('WANDB_API_KEY');
    expect(await readdir(folder)).not.toContain('unmade');
    const one = join(folder, 'one.csv');
    await writeFile(one, 'text,label\na,x\nb,x\n');
    expect(await failing({ data: one })).toContain('one label alone');
  });
});
