// A training of the tiny classifier in a process of its own, which ends itself with SIGKILL where it is told to.
// usage: node --conditions=@qlora-js/source --import tools/typescript.mjs killable.ts '{"folder": ..., "killAt": ...}'
import { appendFileSync } from 'node:fs';
import { join } from 'node:path';
import { openDevice, type BackendName } from '@qlora-js/kernels';
import { folderCheckpoints } from '../node/folder-checkpoints';
import { stopOnSignals } from '../node/stop-signals';
import { sha256 } from '../state/sha256';
import { bitsOf, tinyTrainer, type TinyRun } from './runs';
import { startTinyReplicas } from './start-tiny-replicas';

/** What a process is told. */
export interface Killable {
  readonly folder: string;
  readonly backend: BackendName;
  /** Processor threads; more than one on wasm alone. */
  readonly threads: number;
  readonly args: TinyRun['args'];
  /** Which occurrence of a moment ends it: `step end`, `evaluation batch`, `epoch end`, or a point of a folder's write. */
  readonly killAt?: { readonly moment: string; readonly occurrence: number };
  /** What is sent to it at that moment; default SIGKILL. */
  readonly signal?: NodeJS.Signals;
}

const told = JSON.parse(process.argv[2]!) as Killable;
let occurrences = 0;

/** Ends the process where it is to end. */
function passed(moment: string): void {
  const { killAt, signal = 'SIGKILL' } = told;
  if (moment !== killAt?.moment || ++occurrences !== killAt.occurrence) return;
  process.kill(process.pid, signal);
  // SIGKILL is delivered when the system gets to it: nothing more may happen until then.
  if (signal === 'SIGKILL') for (;;);
}

await stopOnSignals(async (signal) => {
  const { folder, threads, args } = told;
  const device = await openDevice({ backend: told.backend });
  const replicas = threads > 1 ? await startTinyReplicas({ model: { quantised: true } }, threads - 1) : undefined;
  const { trainer, model } = tinyTrainer({
    args: { ...args, outputDir: folder },
    checkpoints: folderCheckpoints(folder, { at: passed }),
    device,
    replicas,
    signal,
    callbacks: [
      {
        onTrainBegin: () => console.log('training begins'),
        onStepEnd: ({ state }) => {
          appendFileSync(join(folder, 'steps.txt'), `${state.globalStep}\n`);
          passed('step end');
        },
        onPredictionStep: () => passed('evaluation batch'),
        onEpochEnd: () => passed('epoch end'),
      },
    ],
    log: (line) => console.log(line),
  });
  try {
    await trainer.train({ resumeFromCheckpoint: true });
    console.log(`adapter ${await sha256(Buffer.from(await bitsOf(model)))}`);
  } finally {
    await replicas?.dispose();
  }
});
