import type { Baselines } from '../evaluation/baseline-figures';
import type { Interval } from '../evaluation/scores';
import type { FineTuneContext, TrainingContext } from '../run/context';
import { headLabels } from '../task/head';
import type { RunReport } from './report';

/** What a card says of one kind of adapter. */
export interface CardSubject {
  /** What it is for, after `A LoRA adapter for`. */
  readonly purpose: string;
  /** The hub's word for it. */
  readonly pipelineTag: 'text-classification' | 'text-generation';
  /** Rows of its own for the table. */
  readonly rows: readonly (readonly [string, string])[];
  /** Figures beside those of the test, by names that people read. */
  readonly figures: readonly (readonly [string, number])[];
  /** Code that loads it. */
  readonly code: { readonly typescript: string; readonly python: string };
}

/** The README.md of an adapter of a head. */
export function modelCard(context: FineTuneContext, report: RunReport): string {
  const { base, data } = context;
  const { names } = headLabels(data);
  return adapterCard(context, report, {
    purpose: data.task === 'regression' ? 'numbers of texts' : 'text classification',
    pipelineTag: 'text-classification',
    rows: [
      ['task', data.task],
      [
        data.task === 'regression' ? 'number' : 'labels',
        `${names.length}: ${names.slice(0, 20).join(', ')}${names.length > 20 ? ', ...' : ''}`,
      ],
    ],
    figures: baselineFigures(report.baselines ?? {}),
    code: loadingCode('path/to/this/folder', base.id),
  });
}

/** The README.md of an adapter: what it is, what it was made of, how good it is, how to load it. */
export function adapterCard(context: TrainingContext, report: RunReport, subject: CardSubject): string {
  const { base, learning, settings, device } = context;
  const { lora, quantization, padding } = settings;
  const { purpose, pipelineTag, code } = subject;
  const front = [
    `base_model: ${JSON.stringify(base.id)}`,
    'library_name: peft',
    `pipeline_tag: ${pipelineTag}`,
    'tags:',
    '- lora',
    '- qlora.js',
    `- ${pipelineTag}`,
  ];
  const { parameters: found, test } = report;
  const kept =
    quantization === null
      ? 'float32'
      : `${quantization.quantType}, blocks of ${quantization.blocksize}${quantization.doubleQuant ? ', double quantisation' : ''}`;
  const rows: (readonly [string, string])[] = [
    ['base', `${base.id}${base.revision === undefined ? '' : ` at ${base.revision}`}`],
    ['weights of the base', kept],
    ['adapter', `r ${lora.r}, alpha ${lora.loraAlpha}, dropout ${lora.loraDropout}`],
    [
      'trained parameters',
      `${report.trainable_params.toLocaleString('en-US')} of ${report.all_params.toLocaleString('en-US')}`,
    ],
    [
      'data',
      `${learning.dataName}: ${report.rows.train} training, ${report.rows.validation} validation, ${report.rows.test} test rows`,
    ],
    ...subject.rows,
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
            ...subject.figures.map(([name, value]) => [name, value.toFixed(4), '']),
          ],
        );
  return `---
${front.join('\n')}
---

# A LoRA adapter for ${purpose}

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
export function baselineFigures(baselines: Baselines): [string, number][] {
  const { majority_class: majority, bag_of_words: words, mean, base_perplexity: perplexity } = baselines;
  const named: [string, number | undefined][] = [
    ['accuracy of the majority class', majority],
    [`${majority === undefined ? 'micro F1' : 'accuracy'} of bag-of-words logistic regression`, words],
    ['mse of the mean', mean],
    ['perplexity of the base alone', perplexity],
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
