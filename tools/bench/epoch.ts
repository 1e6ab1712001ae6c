// An epoch of Banking77 with a model of GPT-2 medium's shape and random weights, through the trainer: batch 16, rows as
// they come, no evaluation. Writes $OUT/epoch.json.
// usage: npx tsx --conditions=@qlora-js/source tools/bench/epoch.ts DATA [EPOCHS]
//   DATA  a folder with Banking77's train.csv, test.csv and categories.json
import { mkdirSync, writeFileSync } from 'node:fs';
import {
  DataCollatorWithPadding,
  type Dataset,
  loadTextDataset,
  prepareDataset,
  type PreparedRow,
} from '@qlora-js/data';
import { openData } from '@qlora-js/data/node';
import { folderFiles } from '@qlora-js/hub/node';
import { openDevice } from '@qlora-js/kernels';
import { GPT2Tokenizer } from '@qlora-js/tokenize-gpt2';
import { sequenceClassifier, SpeedMemCallback, Trainer, trainingArguments } from '@qlora-js/trainer';
import { GPT2_MEDIUM, randomModel } from './gpt2-medium';

const [data, epochs = '2'] = process.argv.slice(2);
if (data === undefined) throw new Error('usage: epoch.ts DATA [EPOCHS]');
const dawnToggles = (process.env['QLORA_DAWN_TOGGLES'] ?? '').split(',').filter((name) => name !== '');
const device = await openDevice({ backend: 'webgpu', dawnToggles });
const folder = process.env['OUT'] ?? 'bench/results';
mkdirSync(folder, { recursive: true });
const MAX_LENGTH = 128;
const tokenizer = await GPT2Tokenizer.load(await folderFiles('packages/base-mini/weights'));
tokenizer.padToken ??= tokenizer.eosToken;
const padTokenId = tokenizer.padTokenId!;
const { train, labelMap } = await loadTextDataset(await openData(data), { validation: 0.1, seed: 0 });
const dataset = prepareDataset(train, { tokenizer, labelMap, maxLength: MAX_LENGTH }).dataset as Dataset<PreparedRow>;
const realTokens = dataset.column('input_ids').reduce((sum, ids) => sum + ids.length, 0);

const model = randomModel(GPT2_MEDIUM);
const speed = new SpeedMemCallback({ device, approxTrainTokens: dataset.numRows * MAX_LENGTH });
const trainer = new Trainer({
  model: sequenceClassifier(model, { padTokenId }),
  device,
  args: trainingArguments({
    outputDir: 'unused',
    learningRate: 2e-4,
    weightDecay: 0.01,
    perDeviceTrainBatchSize: 16,
    numTrainEpochs: Number(epochs),
    optim: 'paged_adamw_8bit',
    loggingSteps: 50,
    fp16: true,
    seed: 0,
  }),
  trainDataset: dataset,
  collator: new DataCollatorWithPadding({ padTokenId }),
  callbacks: [speed],
});
await trainer.train();
const report = {
  device: device.info,
  node: process.version,
  dawnToggles,
  rows: dataset.numRows,
  realTokens,
  epochs: speed.epochs,
  log: trainer.state.logHistory,
};
writeFileSync(
  `${folder}/epoch${dawnToggles.map((name) => `-${name}`).join('')}.json`,
  JSON.stringify(report, undefined, 1),
);
console.log(JSON.stringify(speed.epochs), JSON.stringify(trainer.state.logHistory.slice(-3)));
process.exit(0);
