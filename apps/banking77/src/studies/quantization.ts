import { tidy } from '@tensorflow/tfjs-core';
import { UsageError } from '@qlora-js/cli';
import type { FineTuneContext, QuantizationSettings } from '@qlora-js/finetune';
import { loadGpt2LMHeadModel, nextTokenLabels, tokenBatch } from '@qlora-js/gpt2';
import { openCheckpoint, toFloat32 } from '@qlora-js/hub';
import { INFERENCE, LinearLayer } from '@qlora-js/kernels';
import { loadLlamaForCausalLM } from '@qlora-js/llama';
import { Linear4bit } from '@qlora-js/quant';
import { isSignificant, markdownTable, meanInterval, pairedDifference, shownInterval } from './statistics';
import type { Study } from './study';
import type { TrainingRow } from './training-rows';

const nf4 = { quantType: 'nf4', blocksize: 64, doubleQuant: false } as const;

/** The ways a base is kept; the first is what the others are compared with. */
const WAYS: Readonly<Record<string, QuantizationSettings | null>> = {
  none: null,
  NF4: nf4,
  'NF4 + double quant': { ...nf4, doubleQuant: true },
  FP4: { ...nf4, quantType: 'fp4' },
  INT4: { ...nf4, quantType: 'int4' },
};

/** Texts that the language model is asked to predict. */
const PERPLEXITY_TEXTS = 512;

/** What keeping the base in 4 bits costs and saves. */
export const QUANTIZATION: Study = {
  title: 'What 4 bits cost',
  plan: ({ seeds }) =>
    seeds.flatMap((seed) =>
      Object.entries(WAYS).map(([name, quantization]) => ({
        name,
        seed,
        options: { quantization },
        // The base is the same for every seed.
        ...(seed === seeds[0] ? { measure: (context: FineTuneContext) => baseFigures(context, quantization) } : {}),
      })),
    ),
  outcome: (rows) => {
    const names = Object.keys(WAYS).filter((name) => rows.some((row) => row.name === name));
    const of = (name: string): TrainingRow[] => rows.filter((row) => row.name === name).sort((a, b) => a.seed - b.seed);
    const figure = (name: string, key: string, digits: number): string =>
      of(name)
        .find(({ figures }) => key in figures)
        ?.figures[key]?.toFixed(digits) ?? 'not available';
    const accuracy = (name: string): number[] => of(name).map(({ test }) => test.accuracy);
    const mean = (name: string, value: (row: TrainingRow) => number): number =>
      meanInterval(of(name).map(value)).estimate;
    const table = markdownTable(
      [
        'base',
        'accuracy',
        'F1',
        'loss',
        'error of the weights',
        'perplexity',
        'bits a parameter',
        'peak GiB',
        'tokens/s',
      ],
      names.map((name) => [
        name,
        shownInterval(meanInterval(accuracy(name))),
        shownInterval(meanInterval(of(name).map(({ test }) => test.f1))),
        shownInterval(meanInterval(of(name).map(({ test }) => test.loss))),
        figure(name, 'weight_rmse', 4),
        figure(name, 'perplexity', 2),
        figure(name, 'bits_per_parameter', 3),
        mean(name, ({ memoryGib }) => memoryGib).toFixed(3),
        rate(of(name)),
      ]),
    );
    const differences = names
      .slice(1)
      .map((name) => ({ name, ...pairedDifference(accuracy(name), accuracy(names[0]!)) }));
    const said = differences.map((difference) => {
      const { name } = difference;
      const verdict = isSignificant(difference) ? 'a significant difference' : 'no significant difference';
      return `${name}: ${shownInterval(difference)}, ${verdict}.`;
    });
    const findings = `Accuracy on the test rows less that of the base in float32, seed by seed, mean and 95 % interval over ${of(names[0]!).length} seeds. ${said.join(' ')}`;
    return {
      table: `${table}\n\nError of the weights: root of the mean squared difference to the stored weights, over theirs. Perplexity: of the base without adapter on ${PERPLEXITY_TEXTS} test texts at most. Figures of the base are of one seed, being the same for all. Tokens a second: of trainings that had the machine to themselves.`,
      findings,
      chart: {
        label: 'Accuracy less that of float32',
        x: 'difference of test accuracy',
        rows: differences,
        zero: true,
      },
    };
  },
};

/** Error of the weights, bits a parameter, and what the base says of texts that it has not been trained on here. */
async function baseFigures(
  context: FineTuneContext,
  quantization: QuantizationSettings | null,
): Promise<Record<string, number>> {
  const { base, model } = context;
  const stored = await openCheckpoint(base.files);
  const names = new Set(stored.names());
  let [squares, reference, bits, weights] = [0, 0, 0, 0];
  for (const [path, layer] of model.base.namedModules()) {
    const name = [`${path}.weight`, `${path.replace('transformer.', '')}.weight`].find((known) => names.has(known));
    if (!(layer instanceof LinearLayer) || name === undefined) continue;
    const tensor = await stored.read(name);
    if (quantization === null && layer instanceof Linear4bit) {
      throw new UsageError(
        'USAGE',
        `the weights of ${base.id} are stored in 4 bits: name a base in 16 or 32 bits with --base`,
      );
    }
    const size = layer.inFeatures * layer.outFeatures;
    bits += layer instanceof Linear4bit ? layer.weight.quantized.bitsPerParameter * size : 32 * size;
    weights += size;
    // A base that comes in 4 bits has no other weights to compare with.
    if (!/^B?F(16|32)$/.test(tensor.dtype)) continue;
    const dense = layer.denseWeight();
    const values = await dense.data();
    dense.dispose();
    const own = toFloat32(tensor);
    const [perOutput, perInput] = layer.storedLayout === 'in-out' ? [1, layer.outFeatures] : [layer.inFeatures, 1];
    for (let out = 0; out < layer.outFeatures; out++) {
      for (let into = 0; into < layer.inFeatures; into++) {
        const weight = own[out * perOutput + into * perInput]!;
        squares += (values[out * layer.inFeatures + into]! - weight) ** 2;
        reference += weight ** 2;
      }
    }
  }
  const perplexity = await perplexityOf(context, quantization);
  return {
    bits_per_parameter: bits / weights,
    perplexity,
    ...(reference === 0 ? {} : { weight_rmse: Math.sqrt(squares / reference) }),
  };
}

async function perplexityOf(
  { base, data, settings }: FineTuneContext,
  quantization: QuantizationSettings | null,
): Promise<number> {
  const load = base.family.modelType === 'gpt2' ? loadGpt2LMHeadModel : loadLlamaForCausalLM;
  const { model } = await load(base.files, { quantization });
  const { padTokenId } = base;
  const texts = data.test.column('text').slice(0, PERPLEXITY_TEXTS);
  const { inputIds } = base.tokenizer.batch(texts, { truncation: true, maxLength: settings.padding.maxLength });
  const long = inputIds.filter((ids) => ids.length > 1);
  let [sum, tokens] = [0, 0];
  for (let start = 0; start < long.length; start += 16) {
    const rows = long.slice(start, start + 16).map((ids) => ({ ids }));
    const { nPositions, vocabSize } = model.config;
    const batch = tokenBatch(rows, { padTokenId, nPositions, vocabSize });
    const labels = nextTokenLabels(rows);
    const loss = tidy(() => model.loss(batch, labels, INFERENCE).loss);
    const count = rows.reduce((total, { ids }) => total + ids.length - 1, 0);
    sum += (await loss.data())[0]! * count;
    tokens += count;
    loss.dispose();
    labels.dispose();
    batch.dispose();
  }
  model.dispose();
  return Math.exp(sum / tokens);
}

/** Mean tokens a second of the trainings that had the machine to themselves. */
function rate(rows: readonly TrainingRow[]): string {
  const rates = rows.flatMap(({ tokensPerSecond }) => (tokensPerSecond === null ? [] : [tokensPerSecond]));
  return rates.length === 0 ? 'not available' : meanInterval(rates).estimate.toFixed(0);
}
