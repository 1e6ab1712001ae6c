// What cpu-step.ts runs in its worker threads.
import { openDevice } from '@qlora-js/kernels';
import { serveReplica } from '@qlora-js/trainer';
import { mainThreadPort } from '@qlora-js/trainer/node';
import { cpuClassifier } from './cpu-classifier';

serveReplica(mainThreadPort(), async () => {
  await openDevice({ backend: 'wasm' });
  return cpuClassifier();
});
