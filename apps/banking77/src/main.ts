#!/usr/bin/env node
import { runCommandLine } from '@qlora-js/cli';
import { findBankingData } from './data';
import { studyCommand } from './studies/command';
import { PRESETS } from './presets';

await runCommandLine({
  name: 'qlora-banking77',
  description:
    'Fine-tunes a 4-bit GPT-2 with LoRA adapters on an intent data set: search, training, evaluation, saving, comparison.',
  presets: PRESETS,
  findData: findBankingData,
  trainsByDefault: true,
  addCommands: (add) => add(studyCommand(findBankingData)),
});
