#!/usr/bin/env node
import { WORKERS_COMMAND } from './commands/launch';
import { STUDY_COMMAND } from './commands/study';
import { runCommandLine } from './run';

await runCommandLine({
  name: 'qlora',
  description: 'Fine-tunes text models with LoRA on a 4-bit base, labels texts, serves.',
  addCommands: (add) => {
    add(STUDY_COMMAND);
    add(WORKERS_COMMAND);
  },
});
