import { existsSync } from 'node:fs';

/**
 * The folder of the real Banking77 (train.csv, test.csv, categories.json) that QLORA_BANKING77 names. The repository does
 * not carry it: what needs it is in files *.real-data.ts, which run where the variable is set.
 */
export function banking77Folder(): string {
  const folder = process.env['QLORA_BANKING77'];
  if (!folder || !existsSync(`${folder}/train.csv`)) {
    throw new Error(`QLORA_BANKING77 is ${JSON.stringify(folder)}: name the folder that holds Banking77's train.csv`);
  }
  return folder;
}
