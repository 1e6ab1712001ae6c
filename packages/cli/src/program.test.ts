import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SILENT } from '@qlora-js/finetune';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { createProgram, type Commands, type ProgramOptions } from './program';
import { defaultsOf } from './options/spec';
import { TRAIN_OPTIONS, type TrainValues } from './options/train-options';
import type { PredictValues } from './options/predict-options';

interface Parsed {
  readonly train?: TrainValues;
  readonly search?: TrainValues;
  readonly predict?: PredictValues & { readonly words: readonly string[] };
  readonly words?: readonly string[];
  readonly command?: string;
  readonly error?: string;
  readonly printed: string;
}

async function parse(words: readonly string[], options: Partial<ProgramOptions> = {}): Promise<Parsed> {
  const parsed: { -readonly [Key in keyof Parsed]?: Parsed[Key] } = {};
  let printed = '';
  const never = (): never => {
    throw new Error('not called here');
  };
  const commands: Commands = {
    train: async (values, { command }) => void Object.assign(parsed, { train: values, command }),
    search: async (values) => void (parsed.search = values),
    launchSearch: async ({ values }) =>
      void (parsed.words = ['launched', values.launch!, String(values.trials), values.workerCommand]),
    predict: async (texts, values) => void (parsed.predict = { ...values, words: texts }),
    evaluate: never,
    generate: never,
    chat: never,
    serve: never,
    merge: never,
    exportAdapter: never,
    quantize: never,
    sync: never,
    watch: async (folder) => void (parsed.words = [folder]),
    report: async (folders) => void (parsed.words = folders),
    doctor: never,
  };
  const program = createProgram({
    name: 'qlora',
    description: 'test',
    openTerminal: () => ({ ...SILENT, restore: () => undefined }),
    commands,
    ...options,
  });
  const quiet = {
    writeOut: (text: string) => void (printed += text),
    writeErr: () => undefined,
    outputError: (text: string) => void (parsed.error = text),
  };
  for (const command of [program, ...program.commands]) command.exitOverride().configureOutput(quiet);
  const log = vi.spyOn(console, 'log').mockImplementation((text: string) => void (printed += `${text}\n`));
  try {
    await program.parseAsync(words, { from: 'user' });
  } catch (error) {
    parsed.error ??= (error as Error).message;
  } finally {
    log.mockRestore();
  }
  return { ...parsed, printed };
}

describe('the command line', () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'cli-'));
  });
  afterAll(() => rm(folder, { recursive: true }));

  it('takes flags, and its defaults for the rest', async () => {
    const { train } = await parse(
      'train --base ../mini --data x.csv --trials 0 --learning-rate 5e-4 --warmup-steps 100 --target-modules c_fc c_proj --no-double-quant --resume --offline'.split(
        ' ',
      ),
    );
    expect(train).toEqual({
      ...defaultsOf(TRAIN_OPTIONS),
      base: '../mini',
      data: 'x.csv',
      learningRate: 5e-4,
      warmupSteps: 100,
      targetModules: ['c_fc', 'c_proj'],
      doubleQuant: false,
      resume: true,
      offline: true,
    });
    expect((await parse(['train', '--resume', 'checkpoint-8'])).train).toMatchObject({ resume: 'checkpoint-8' });
  });

  it('lets flags go before the file, the file before presets, presets before defaults', async () => {
    const yaml = join(folder, 'run.yaml');
    await writeFile(yaml, '$schema: x\ntrials: 2\nloraR: 4 # a rank\ndoubleQuant: false\ntargetModules: [c_fc]\n');
    const presets = { trials: 5, warmupSteps: 100 };
    const { train } = await parse(['--config', yaml, '--lora-r', '8'], { presets, trainsByDefault: true });
    expect(train).toMatchObject({
      trials: 2,
      loraR: 8,
      doubleQuant: false,
      targetModules: ['c_fc'],
      warmupSteps: 100,
      blocksize: 64,
    });
    const json = join(folder, 'run.json');
    await writeFile(json, '{"trials": 3}');
    expect((await parse(['search', '--config', json])).search).toMatchObject({ trials: 3 });
    expect((await parse(['search'])).search).toMatchObject({ trials: 10 });
  });

  it('names trackers with commas or spaces between them, and the folders of runs', async () => {
    const { train } = await parse(['train', '--report-to', 'wandb,mlflow', 'jsonl']);
    expect(train!.reportTo).toEqual(['wandb', 'mlflow', 'jsonl']);
    const yaml = join(folder, 'trackers.yaml');
    await writeFile(yaml, 'reportTo: [tensorboard]\n');
    expect((await parse(['train', '--config', yaml])).train!.reportTo).toEqual(['tensorboard']);
    expect((await parse(['report', 'a', 'b'])).words).toEqual(['a', 'b']);
    expect((await parse(['watch', 'a'])).words).toEqual(['a']);
    expect((await parse(['watch'])).error).toContain("missing required argument 'folder'");
  });

  it('starts a search here, or its workers on an engine', async () => {
    expect((await parse(['search', '--data', 'x.csv'])).search).toMatchObject({ trials: 10 });
    const launched = await parse(['search', '--data', 'x.csv', '--launch', 'ray://head', '--trials', '7']);
    expect(launched.words).toEqual(['launched', 'ray://head', '7', 'npx qlora']);
    const ofAnother = await parse(['search', '--launch', 'ray://head'], { name: 'qlora-mine' });
    expect(ofAnother.words!.at(-1)).toBe('npx qlora-mine');
    expect(launched.search).toBeUndefined();
  });

  it('gives back the command line of a run, what its file says in it, no secret', async () => {
    const yaml = join(folder, 'line.yaml');
    await writeFile(yaml, 'loraR: 4\ndoubleQuant: false\ntargetModules: [c_fc, c_proj]\n');
    const storage = ['--storage', 'postgresql://bob:hidden@db/q?password=hidden'];
    const words = ['train', '--config', yaml, '--token', 'hf_secret', '--data', "bob's.csv", ...storage, '--resume'];
    expect((await parse(words)).command).toBe(
      String.raw`qlora train --data 'bob'\''s.csv' --no-double-quant --lora-r 4 --target-modules c_fc c_proj --storage postgresql://bob@db/q --resume`,
    );
  });

  it('shows every value and where it comes from, but no secret', async () => {
    const file = join(folder, 'print.yaml');
    await writeFile(file, 'maxLength: 64\n');
    const { printed, train } = await parse([
      'train',
      '--print-config',
      '--config',
      file,
      '--seed',
      '3',
      '--token',
      'hf_secret',
      '--storage',
      'postgresql://bob:hidden@db/q?password=hidden',
    ]);
    expect(train).toBeUndefined();
    expect(printed).toMatch(/^seed +3 +command line$/m);
    expect(printed).toMatch(new RegExp(`^maxLength +64 +${file}$`, 'm'));
    expect(printed).toMatch(/^loraR +16 +default$/m);
    expect(printed).toMatch(/^token +\(set\) +command line$/m);
    expect(printed).not.toMatch(/hf_secret|hidden/);
  });

  it.each<[string, RegExp]>([
    ['train --learning-rate fast', /'fast' is invalid/],
    ['train --backend cuda', /Allowed choices are auto, webgpu, wasm, tensorflow, cpu/],
    ['train --trails 3', /--trials/],
    ['train --trials 1.5', /^command line: --trials is 1\.5, but a whole number is needed/],
    ['train --threads 0', /--threads is 0, but a number of 1 or more is needed/],
    [
      'train --report-to wandb,tensorbord',
      /--report-to is .*but a list of wandb, mlflow, tensorboard, jsonl is needed/,
    ],
    ['train --config none.json', /none\.json can't be read/],
    ['evaluates', /unknown command 'evaluates'/],
  ])('refuses %s', async (words, message) => {
    expect((await parse(words.split(' '))).error).toMatch(message);
  });

  it.each<[string, string, RegExp]>([
    ['bad.json', '{"trials": 2,}', /bad\.json is not JSON/],
    ['bad.yaml', 'trials: [', /bad\.yaml is not YAML/],
    ['list.yaml', '- 1', /list\.yaml does not hold options by name/],
    ['case.yaml', 'learningrate: 1', /case\.yaml: there is no option "learningrate"; did you mean learningRate\?/],
    ['far.yaml', 'colour: 1', /there is no option "colour"; see --help/],
    ['type.yaml', 'learningRate: "1e-4"', /type\.yaml: learningRate is "1e-4", but a number of 0 or more is needed/],
    ['choice.yaml', 'optim: adam', /choice\.yaml: optim is "adam", but one of /],
    ['list2.yaml', 'targetModules: c_fc', /targetModules is "c_fc", but a list of names is needed/],
    ['switch.yaml', 'useDora: 1', /useDora is 1, but true or false is needed/],
  ])('names the mistake in %s', async (name, text, message) => {
    const file = join(folder, name);
    await writeFile(file, text);
    expect((await parse(['train', '--config', file])).error).toMatch(message);
  });

  it('shows what a person needs first, and everything where that is asked for', async () => {
    const short = (await parse(['train', '--help'])).printed;
    const long = (await parse(['train', '--help-all'])).printed;
    expect(short.split('\n').length).toBeLessThan(45);
    expect(short).toContain('--text-column');
    expect(short).not.toContain('--blocksize');
    for (const key of Object.keys(TRAIN_OPTIONS)) {
      const flag = key.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
      expect(long).toMatch(new RegExp(`--(no-)?${flag}\\b`));
    }
    expect((await parse(['--version'])).printed).toMatch(/^\d+\.\d+\.\d+\n$/);
  });

  it('predict takes texts, an adapter and a number of labels', async () => {
    expect((await parse(['predict', '--adapter', 'out', '--top-k', '3', 'one', 'two words'])).predict).toMatchObject({
      adapter: 'out',
      topK: 3,
      words: ['one', 'two words'],
      backend: 'auto',
      json: false,
    });
  });
});
