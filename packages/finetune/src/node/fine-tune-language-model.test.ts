import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { goldenPath } from '../../../../tools/test/golden';
import { capture } from '../testing/intents';
import { fineTuneLanguageModel, type FineTuneLanguageModelFolderOptions } from './fine-tune-language-model';
import { loadTextClassifier } from './load-classifier';
import { loadTextGenerator } from './load-generator';

const ANSWERS = { card: 'where is it', fee: 'how much was it', pin: 'never say it' };

describe('fineTuneLanguageModel over folders', () => {
  let folder: string;
  let options: FineTuneLanguageModelFolderOptions;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'language-'));
    const rows = Object.entries(ANSWERS).flatMap(([subject, completion]) =>
      Array.from({ length: 20 }, (_, number) => JSON.stringify({ prompt: `${subject} ${number}:`, completion })),
    );
    await writeFile(join(folder, 'pairs.jsonl'), rows.join('\n'));
    options = {
      base: goldenPath('generation'),
      data: join(folder, 'pairs.jsonl'),
      dataOptions: { validation: 0.1, testShare: 0.1 },
      backend: 'wasm',
      seed: 0,
      padding: { maxLength: 64 },
      lora: { loraDropout: 0 },
      training: { learningRate: 1e-2, numTrainEpochs: 12, evalSteps: 24, loggingSteps: 24 },
      output: { folder: join(folder, 'out') },
    };
  });
  afterAll(() => rm(folder, { recursive: true }));

  it('learns what is said to prompts, and says it from the folder', async () => {
    const log = capture();
    const { report, generator, dispose } = await fineTuneLanguageModel({ ...options, log });
    expect(report).toMatchObject({ task: 'causal_lm', test_accuracy: null, best_val: { metric: 'loss' } });
    expect(report.test_perplexity).toBeLessThan(1.5);
    expect(report.baselines!.base_perplexity).toBeGreaterThan(10 * report.test_perplexity!);
    const said = await generator.generate('fee 7:', { maxNewTokens: 30 });
    expect(said).toMatchObject({ text: ANSWERS.fee, finishReason: 'eos' });
    await dispose();
    expect(log.lines.at(-1)).toMatch(/^memory at the end: 0\.0 MiB in 0 tensors /);
    const out = join(folder, 'out');
    const config = JSON.parse(await readFile(join(out, 'config.json'), 'utf8')) as unknown;
    expect(config).toMatchObject({ architectures: ['LlamaForCausalLM'], model_type: 'llama' });
    expect(JSON.parse(await readFile(join(out, 'adapter_config.json'), 'utf8'))).toMatchObject({
      task_type: 'CAUSAL_LM',
    });
    expect(await readFile(join(out, 'README.md'), 'utf8')).toMatch(/^\| perplexity \| 1\.\d{4} \|/m);
    const loaded = await loadTextGenerator({ adapter: out, backend: 'wasm' });
    expect(await loaded.generate('fee 7:', { maxNewTokens: 30 })).toEqual(said);
    loaded.dispose();
    await expect(loadTextClassifier(out, { backend: 'wasm' })).rejects.toMatchObject({ code: 'BAD_ADAPTER' });
  });

  it('packs whole texts, from a GGUF file, on two threads, to the loss of texts that are not packed', async () => {
    const texts = Object.entries(ANSWERS).flatMap(([subject, said]) =>
      Array.from({ length: 10 }, (_, number) => `${subject} ${number}: ${said}`),
    );
    await writeFile(join(folder, 'texts.csv'), `text\n${texts.join('\n')}`);
    const run = async (packing: boolean, threads: number): Promise<unknown[]> => {
      const log = capture();
      const { report, dispose } = await fineTuneLanguageModel({
        ...options,
        base: join(goldenPath('generation'), 'tiny.gguf'),
        data: join(folder, 'texts.csv'),
        ...{ packing, threads, log, report: false },
        training: { maxSteps: 1, evalSteps: 1, loggingSteps: 1, perDeviceTrainBatchSize: 100, learningRate: 1e-3 },
        output: { folder: join(folder, `packed-${packing}-${threads}`) },
      });
      await dispose();
      return [report.train_loss, report.rows.train, report.test_loss, report.environment['threads']];
    };
    const [loose, loosely] = await run(false, 1);
    const [packed, packedRows] = await run(true, 1);
    const [shared, , , threads] = await run(true, 2);
    expect([loosely, (packedRows as number) < (loosely as number) / 2, threads]).toEqual([24, true, 2]);
    expect(packed).toBeCloseTo(loose as number, 4);
    expect(shared).toBeCloseTo(loose as number, 4);
  });

  it('refuses to write where neither an adapter nor a base is named', async () => {
    await expect(loadTextGenerator({ backend: 'wasm' })).rejects.toThrow('neither a base nor an adapter');
  });
});
