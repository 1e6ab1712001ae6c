// What the further threads of a classifier run: a copy of the base with its adapters, and batches as they are asked for.
import { parentPort, workerData } from 'node:worker_threads';
import { loadTextClassifier } from './load-classifier';
import type { PredictThreadSetup, ThreadAnswer, ThreadRequest } from './predict-threads';

const port = parentPort!;
const { adapters, base, backend, hub } = workerData as PredictThreadSetup;
const loaded = loadTextClassifier(adapters, { base, backend, hub });

port.on('message', async ({ id, inputIds, adapter }: ThreadRequest) => {
  let answer: ThreadAnswer;
  try {
    answer = { id, probabilities: (await (await loaded).batchProbabilities(inputIds, adapter)).slice() };
  } catch (error) {
    answer = { id, error: error instanceof Error ? error.message : String(error) };
  }
  port.postMessage(answer, 'probabilities' in answer ? [answer.probabilities.buffer] : []);
});
