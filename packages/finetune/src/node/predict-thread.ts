// What the further threads of a classifier run: a copy of the base with its adapters, and batches as they are asked for.
import { workerData } from 'node:worker_threads';
import { serveRequests } from '@qlora-js/trainer';
import { mainThreadPort } from '@qlora-js/trainer/node';
import { loadTextClassifier } from './load-classifier';
import type { PredictThreadSetup, ThreadAnswer, ThreadRequest } from './predict-threads';

const { adapters, base, backend, hub } = workerData as PredictThreadSetup;
const loaded = loadTextClassifier(adapters, { base, backend, hub });
// The first batch tells of a failure.
loaded.catch(() => undefined);

serveRequests<ThreadRequest, ThreadAnswer>(
  mainThreadPort(),
  async ({ inputIds, adapter }) => {
    const outputs = await (await loaded).batchOutputs(inputIds, adapter);
    return { kind: 'labelled', outputs: outputs.slice() };
  },
  ({ outputs }) => [outputs.buffer],
);
