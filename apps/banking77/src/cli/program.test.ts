import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { DEFAULT_OPTIONS, mergeOptions, type RunOptions } from './options';
import { createProgram, type PredictOptions } from './program';

interface Parsed {
  readonly run?: RunOptions;
  readonly predict?: PredictOptions;
  readonly error?: string;
}

async function parse(...words: string[]): Promise<Parsed> {
  const parsed: { run?: RunOptions; predict?: PredictOptions; error?: string } = {};
  const program = createProgram({
    run: async (options) => void (parsed.run = options),
    predict: async (options) => void (parsed.predict = options),
  });
  const quiet = {
    writeOut: () => undefined,
    writeErr: () => undefined,
    outputError: (text: string) => void (parsed.error = text),
  };
  for (const command of [program, ...program.commands]) command.exitOverride().configureOutput(quiet);
  try {
    await program.parseAsync(words, { from: 'user' });
  } catch (error) {
    parsed.error ??= (error as Error).message;
  }
  return parsed;
}

describe('the command line', () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'cli-'));
  });
  afterAll(() => rm(folder, { recursive: true }));

  it("has the reference's settings by default", async () => {
    const { run } = await parse();
    expect(run).toEqual(DEFAULT_OPTIONS);
    expect(run).toMatchObject({
      trials: 5,
      loraR: 16,
      loraAlpha: 32,
      loraDropout: 0.1,
      evalSteps: 100,
      loggingSteps: 50,
      previousAccuracy: 0.93,
      previousTokensPerSec: 90000,
      previousMemoryGib: 7.2,
    });
  });

  it('takes the flags of one run without a search', async () => {
    const { run } = await parse(
      ...'--base ../mini --data ../banking77 --trials 0 --learning-rate 5e-4 --num-train-epochs 5 --per-device-train-batch-size 16 --warmup-steps 100 --weight-decay 0.01 --seed 0 --backend wasm --output-dir out --report-json r.json'.split(
        ' ',
      ),
    );
    expect(run).toMatchObject({
      base: '../mini',
      data: '../banking77',
      trials: 0,
      learningRate: 5e-4,
      numTrainEpochs: 5,
      perDeviceTrainBatchSize: 16,
      warmupSteps: 100,
      weightDecay: 0.01,
      seed: 0,
      backend: 'wasm',
      outputDir: 'out',
      reportJson: 'r.json',
    });
  });

  it('lets flags go before the config file and the file before defaults', async () => {
    const config = join(folder, 'config.json');
    await writeFile(config, JSON.stringify({ trials: 2, loraR: 4, doubleQuant: false, targetModules: ['c_fc'] }));
    const { run } = await parse('--config', config, '--lora-r', '8');
    expect(run).toMatchObject({ trials: 2, loraR: 8, doubleQuant: false, targetModules: ['c_fc'], blocksize: 64 });
    expect((await parse('--config', config, '--no-double-quant')).run).toMatchObject({ doubleQuant: false });
  });

  it('refuses what it does not know, naming it', async () => {
    expect((await parse('--learning-rate', 'fast')).error).toContain("'fast' is invalid");
    expect((await parse('--backend', 'cuda')).error).toContain(
      'Allowed choices are auto, webgpu, wasm, tensorflow, cpu',
    );
    expect((await parse('--trails', '3')).error).toContain('--trials');
    expect((await parse('--trials', '1.5')).error).toContain('trials is 1.5, but a whole number is needed');
    expect((await parse('--threads', '0')).error).toContain('threads is 0, but 1 or more is needed');
    expect((await parse('--threads', '1.5')).error).toContain('threads is 1.5, but a whole number is needed');
    expect((await parse('--config', join(folder, 'none.json'))).error).toContain("can't be read");
    await writeFile(join(folder, 'bad.json'), '{"trials": 2,}');
    expect((await parse('--config', join(folder, 'bad.json'))).error).toContain('is not JSON');
    expect(() => mergeOptions({ place: 'c.json', values: { learningrate: 1 } })).toThrow(
      'c.json: there is no option "learningrate"',
    );
    expect(() => mergeOptions({ place: 'c.json', values: { learningRate: '1e-4' } })).toThrow(
      'c.json: learningRate is "1e-4", but a number of 0 or more is needed',
    );
  });

  it('predict takes texts, an adapter and a number of labels', async () => {
    expect((await parse('predict', '--adapter', 'out', '--top-k', '3', 'one', 'two words')).predict).toMatchObject({
      adapter: 'out',
      topK: 3,
      texts: ['one', 'two words'],
      backend: 'auto',
      json: false,
    });
  });

  it('shows help that names every option of a run', () => {
    const program = createProgram({ run: () => Promise.resolve(), predict: () => Promise.resolve() });
    const help = program.commands.find((command) => command.name() === 'run')!.helpInformation();
    for (const key of Object.keys(DEFAULT_OPTIONS)) {
      const flag = key.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
      expect(help).toMatch(new RegExp(`--(no-)?${flag}\\b`));
    }
  });
});
