import type { Output } from '@qlora-js/finetune';
import { downloadBars } from '@qlora-js/finetune/node';
import { resolveModel, writeFolder } from '@qlora-js/hub/node';
import { quantizeCheckpoint } from '@qlora-js/quant';
import { formatBytes } from '@qlora-js/kernels';
import { UsageError } from '../errors';
import type { OptionTable, OptionValues } from '../options/spec';
import { HUB_OPTIONS, TERMINAL_OPTIONS, TRAIN_OPTIONS } from '../options/train-options';
import { newFolder, OVERWRITE } from './new-folder';
import { hubOptions } from './train';

const QUANTISING = 'Quantising:';
const { json: _, ...SPEECH } = TERMINAL_OPTIONS;

/** Options of `quantize`. */
export const QUANTIZE_OPTIONS = {
  base: { ...TRAIN_OPTIONS.base, group: QUANTISING, help: 'the model: a folder, or an id on the Hugging Face hub' },
  outputDir: {
    kind: 'text',
    placeholder: 'folder',
    default: './quantized',
    group: QUANTISING,
    basic: true,
    help: 'where the quantised model goes',
  },
  quantType: {
    kind: 'choice',
    choices: ['nf4', 'fp4', 'int4'],
    default: 'nf4',
    group: QUANTISING,
    basic: true,
    help: 'the 4-bit type; Python reads nf4 and fp4',
  },
  blocksize: { ...TRAIN_OPTIONS.blocksize, group: QUANTISING },
  doubleQuant: { ...TRAIN_OPTIONS.doubleQuant, group: QUANTISING },
  embedding: {
    kind: 'switch',
    default: false,
    group: QUANTISING,
    help: 'the token embedding of a GPT-2 too, which Python does not read',
  },
  ...OVERWRITE,
  ...HUB_OPTIONS,
  ...SPEECH,
} as const satisfies OptionTable;

/** What `quantize` is told. */
export type QuantizeValues = OptionValues<typeof QUANTIZE_OPTIONS>;

/** Writes a model in 4 bits, as bitsandbytes and transformers lay it in files. */
export async function quantize(values: QuantizeValues, output: Output): Promise<void> {
  const { base, outputDir, quantType, blocksize, doubleQuant, embedding } = values;
  if (base === undefined)
    throw new UsageError('USAGE', '--base is missing: the model to quantise, a folder or a hub id');
  await newFolder(values);
  const files = await resolveModel(base, { onProgress: downloadBars(output), ...hubOptions(values) });
  let bar: ReturnType<Output['bar']> | undefined;
  const quantised = await quantizeCheckpoint(files, {
    ...{ quantType, blocksize, doubleQuant, embedding },
    onTensor: (done, total, name) => (bar ??= output.bar('quantise', total)).update(done, name),
  });
  bar?.stop();
  await writeFolder(outputDir, quantised);
  const bytes = Object.values(quantised).reduce((sum, content) => sum + content.length, 0);
  output.line(`quantised: ${outputDir}, ${formatBytes(bytes)}`);
}
