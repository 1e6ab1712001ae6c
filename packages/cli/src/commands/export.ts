import { stat } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { ggufAdapter, type Output } from '@qlora-js/finetune';
import { ensureWritableFolder, folderFiles, writeFileAtomic, writeFolder } from '@qlora-js/hub/node';
import { readAdapterConfig } from '@qlora-js/lora';
import { UsageError } from '../errors';
import { ADAPTER_OPTIONS } from '../options/predict-options';
import type { OptionTable, OptionValues } from '../options/spec';
import { TERMINAL_OPTIONS } from '../options/train-options';
import { newFolder } from './new-folder';

const EXPORTING = 'Exporting:';

/** Options of `export`. */
export const EXPORT_OPTIONS = {
  adapter: ADAPTER_OPTIONS.adapter,
  format: {
    kind: 'choice',
    choices: ['safetensors', 'gguf'],
    default: 'safetensors',
    group: EXPORTING,
    basic: true,
    help: "a folder for PEFT and transformers, or a LoRA file for llama.cpp's --lora",
  },
  output: {
    kind: 'text',
    placeholder: 'path',
    default: undefined,
    group: EXPORTING,
    basic: true,
    help: 'where it goes; ./exported, or ./adapter.gguf',
  },
  overwrite: { kind: 'switch', default: false, group: EXPORTING, help: 'replace what is there' },
  quiet: TERMINAL_OPTIONS.quiet,
} as const satisfies OptionTable;

/** What `export` is told. */
export type ExportValues = OptionValues<typeof EXPORT_OPTIONS>;

/** What Python reads of an adapter's folder; records of the run stay behind. */
const EXPORTED = [
  ...['adapter_config.json', 'adapter_model.safetensors', 'config.json', 'README.md'],
  ...['tokenizer_config.json', 'special_tokens_map.json', 'added_tokens.json', 'vocab.json', 'merges.txt'],
  'tokenizer.json',
];

/** Writes a saved adapter, or a checkpoint, for other programs. */
export async function exportAdapter(values: ExportValues, output: Output): Promise<void> {
  const { adapter, format, overwrite, output: path = format === 'gguf' ? './adapter.gguf' : './exported' } = values;
  const files = await folderFiles(adapter);
  await readAdapterConfig(files);
  if (format === 'safetensors') {
    await newFolder({ outputDir: path, overwrite });
    const content: Record<string, Uint8Array> = {};
    for (const name of EXPORTED) {
      if (!(await files.has(name))) continue;
      const source = await files.open(name);
      content[name] = await source.read(0, source.size);
    }
    await writeFolder(path, content);
  } else {
    await ensureWritableFolder(dirname(resolve(path)));
    if (!overwrite && (await exists(path)))
      throw new UsageError(
        'USAGE',
        `--output ${path} is there already: choose another, or replace it with --overwrite`,
        { value: path },
      );
    const { bytes, leftOut } = await ggufAdapter(files);
    await writeFileAtomic(path, bytes);
    if (leftOut.length > 0) output.warn(`left out, since llama.cpp has no place for it: ${leftOut.join(', ')}`);
  }
  output.line(`exported: ${path}`);
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}
