import type { Baselines } from '../evaluation/baselines';
import type { Interval } from '../evaluation/score';
import type { FineTuneContext } from '../run/context';
import { headLabels } from '../task/head';
import type { RunReport } from './report';

/** The README.md of an adapter: what it is, what it was made of, how good it is, how to load it. */
export function modelCard({ base, data, settings, device }: FineTuneContext, report: RunReport): string {
  const { names } = headLabels(data);
  const { lora, quantization, padding } = settings;
  const front = [
    `base_model: ${JSON.stringify(base.id)}`,
    'library_name: peft',
    'pipeline_tag: text-classification',
    'tags:',
    '- lora',
    '- qlora.js',
    '- text-classification',
  ];
  const { parameters: found, test, baselines } = report;
  const kept =
    quantization === null
      ? 'float32'
      : `${quantization.quantType}, blocks of ${quantization.blocksize}${quantization.doubleQuant ? ', double quantisation' : ''}`;
  const rows: [string, string][] = [
    ['base', `${base.id}${base.revision === undefined ? '' : ` at ${base.revision}`}`],
    ['weights of the base', kept],
    ['adapter', `r ${lora.r}, alpha ${lora.loraAlpha}, dropout ${lora.loraDropout}`],
    [
      'trained parameters',
      `${report.trainable_params.toLocaleString('en-US')} of ${report.all_params.toLocaleString('en-US')}`,
    ],
    [
      'data',
      `${data.name}: ${report.rows.train} training, ${report.rows.validation} validation, ${report.rows.test} test rows`,
    ],
    ['task', data.task],
    [
      data.task === 'regression' ? 'number' : 'labels',
      `${names.length}: ${names.slice(0, 20).join(', ')}${names.length > 20 ? ', ...' : ''}`,
    ],
    [
      'learning rate, batch, epochs',
      `${found.learningRate}, ${found.perDeviceTrainBatchSize}, ${found.numTrainEpochs}`,
    ],
    ['weight decay, warm-up', `${found.weightDecay}, ${found.warmupSteps}`],
    ['longest text', `${padding.maxLength} tokens`],
    ['seed', String(settings.seed)],
    [
      'computed on',
      `${device.backend}, ${Object.entries(report.versions)
        .map(([name, version]) => `${name} ${version}`)
        .join(', ')}`,
    ],
  ];
  const figures =
    test === null
      ? 'The test rows have not been looked at.'
      : table(
          ['on the test rows', 'value', '95 % interval'],
          [
            ...Object.entries(test.figures).map(([name, figure]) => [name, ...shownInterval(figure)]),
            ['loss', test.loss.toFixed(4), ''],
            ...baselineFigures(baselines ?? {}).map(([name, value]) => [name, value.toFixed(4), '']),
          ],
        );
  const code = loadingCode('path/to/this/folder', base.id);
  return `---
${front.join('\n')}
---

# A LoRA adapter for text classification

${table(['', ''], rows)}

${figures}

## Loading it

\`\`\`ts
${code.typescript}
\`\`\`

\`\`\`python
${code.python}
\`\`\`
`;
}

/** Code that loads a saved adapter. */
export function loadingCode(folder: string, base: string): { readonly typescript: string; readonly python: string } {
  return {
    typescript: `import { loadTextClassifier } from '@qlora-js/finetune/node';

const classifier = await loadTextClassifier(${JSON.stringify(folder)});
console.log(await classifier.predict(['a text']));`,
    python: `from peft import PeftModel
from transformers import AutoConfig, AutoModelForSequenceClassification, AutoTokenizer

folder = ${JSON.stringify(folder)}
config = AutoConfig.from_pretrained(folder)
base = AutoModelForSequenceClassification.from_pretrained(${JSON.stringify(base)}, config=config)
model = PeftModel.from_pretrained(base, folder)
tokenizer = AutoTokenizer.from_pretrained(folder)`,
  };
}

/** What costs nothing, by names that people read. */
export function baselineFigures({
  majority_class: majority,
  bag_of_words: words,
  mean,
}: Baselines): [string, number][] {
  const named: [string, number | undefined][] = [
    ['accuracy of the majority class', majority],
    [`${majority === undefined ? 'micro F1' : 'accuracy'} of bag-of-words logistic regression`, words],
    ['mse of the mean', mean],
  ];
  return named.filter((entry): entry is [string, number] => entry[1] !== undefined);
}

function shownInterval({ estimate, low, high }: Interval): [string, string] {
  return [estimate.toFixed(4), `${low.toFixed(4)} to ${high.toFixed(4)}`];
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}
