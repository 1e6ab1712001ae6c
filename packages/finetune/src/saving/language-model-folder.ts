import type { ModelFiles } from '@qlora-js/hub';
import { adapterFiles } from '@qlora-js/lora';
import type { BaseModel } from '../base/base';
import { FinetuneError } from '../errors';
import type { QuantizationSettings } from '../model/settings';
import type { LanguageModelContext } from '../run/language-model-context';
import { VERSION } from '../version';
import { METRICS } from './adapter-folder';
import type { AdapterFolder } from './describing-files';
import { CONFIG, isQuantization, RUN } from './classifier-config';
import { adapterCard, baselineFigures } from './model-card';
import { runtimeVersions, type RunReport } from './report';

/** What generating with a saved adapter needs beside its weights. */
export interface SavedLanguageModel {
  /** How the base's weights were kept. */
  readonly quantization: QuantizationSettings | null;
}

/** All that using a language model's adapter elsewhere takes. */
export async function languageModelFolder(
  context: LanguageModelContext,
  adapterName: string,
  report: RunReport,
): Promise<AdapterFolder> {
  const { base, data, settings } = context;
  const { test_perplexity: perplexity } = report;
  const card = adapterCard(context, report, {
    purpose: 'text generation',
    pipelineTag: 'text-generation',
    rows: [['learnt from', Object.entries(data.columns).map(([part, name]) => `${part}: ${name}`).join(', ')]], // prettier-ignore
    figures: [
      ...(perplexity === null ? [] : [['perplexity', perplexity] as const]),
      ...baselineFigures(report.baselines ?? {}),
    ],
    code: generationCode('path/to/this/folder', base.id, settings.quantization),
  });
  return {
    ...(await adapterFiles(context.model, adapterName)),
    ...(await describingLanguageModel(context)),
    [METRICS]: `${JSON.stringify(report, null, 2)}\n`,
    'README.md': card,
  };
}

/** What stands beside the weights from a training's first checkpoint on. */
export async function describingLanguageModel({
  base,
  data,
  settings,
  splits,
}: Pick<LanguageModelContext, 'base' | 'data' | 'settings' | 'splits'>): Promise<AdapterFolder> {
  const languageModel: SavedLanguageModel = { quantization: settings.quantization };
  const run = {
    base: { id: base.id, revision: base.revision ?? null },
    data: { name: data.name, columns: data.columns, notes: data.notes, texts: splits.texts },
    languageModel,
    settings,
    versions: { 'qlora.js': VERSION, ...runtimeVersions() },
  };
  return {
    ...base.tokenizer.save(),
    [CONFIG]: await languageModelConfig(base),
    [RUN]: `${JSON.stringify(run, null, 2)}\n`,
  };
}

async function languageModelConfig({ files, family, padTokenId }: BaseModel): Promise<string> {
  const config = (await files.json(CONFIG)) as Record<string, unknown>;
  const { quantization_config: _, ...rest } = config;
  return `${JSON.stringify({ ...rest, architectures: [family.languageModelClass], pad_token_id: padTokenId }, null, 2)}\n`;
}

/**
 * What a saved language model's adapter says of its base; undefined for a folder that another program wrote.
 * @throws FinetuneError `BAD_ADAPTER` for an adapter that learnt something else
 */
export async function readSavedLanguageModel(files: ModelFiles): Promise<SavedLanguageModel | undefined> {
  if (!(await files.has(RUN))) return undefined;
  const run = (await files.json(RUN)) as { readonly languageModel?: unknown; readonly classifier?: unknown } | null;
  const { languageModel: saved } = run ?? {};
  if (typeof saved === 'object' && saved !== null) {
    const { quantization } = saved as { quantization?: unknown };
    if (quantization === null || isQuantization(quantization)) return saved as SavedLanguageModel;
  }
  throw new FinetuneError('BAD_ADAPTER', `${files.id}/${RUN} says nothing of a language model`, {
    value: files.id,
    ...(run?.classifier === undefined ? {} : { remedy: 'it is an adapter that labels texts: predict with it' }),
  });
}

/** Code that loads a language model's adapter. */
export function generationCode(
  folder: string,
  base: string,
  quantization: QuantizationSettings | null,
): { readonly typescript: string; readonly python: string } {
  const four =
    quantization === null || quantization.quantType === 'int4'
      ? ''
      : `, quantization_config=BitsAndBytesConfig(load_in_4bit=True, bnb_4bit_quant_type="${quantization.quantType}", bnb_4bit_use_double_quant=${quantization.doubleQuant ? 'True' : 'False'})`;
  return {
    typescript: `import { loadTextGenerator } from '@qlora-js/finetune/node';

const generator = await loadTextGenerator({ adapter: ${JSON.stringify(folder)} });
console.log((await generator.generate('a prompt')).text);`,
    python: `from peft import PeftModel
from transformers import AutoModelForCausalLM, AutoTokenizer${four === '' ? '' : ', BitsAndBytesConfig'}

folder = ${JSON.stringify(folder)}
base = AutoModelForCausalLM.from_pretrained(${JSON.stringify(base)}${four})
model = PeftModel.from_pretrained(base, folder)
tokenizer = AutoTokenizer.from_pretrained(folder)`,
  };
}
