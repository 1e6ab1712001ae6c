#!/usr/bin/env node
import { runCommandLine } from './run';

await runCommandLine({
  name: 'qlora',
  description: 'Fine-tunes text models with LoRA on a 4-bit base, labels texts, serves.',
});
