// What the further threads of a classifier run: a copy of the base with its adapters, and batches as they are asked for.
import { parentPort, workerData } from 'node:worker_threads';
import { loadTextClassifier } from './load-classifier';
import type { PredictThreadSetup, ThreadAnswer, ThreadRequest } from './predict-threads';

const port = parentPort!;
const { adapters, base, backend, hub } = workerData as PredictThreadSetup;
const loaded = loadTextClassifier(adapters, { base, backend, hub });

async function answer({ id, inputIds, adapter }: ThreadRequest): Promise<void> {
  let given: ThreadAnswer;
  try {
    given = { id, probabilities: (await (await loaded).batchProbabilities(inputIds, adapter)).slice() };
  } catch (error) {
    given = { id, error: error instanceof Error ? error.message : String(error) };
  }
  port.postMessage(given, 'probabilities' in given ? [given.probabilities.buffer] : []);
}

port.on('message', (request: ThreadRequest) => void answer(request));
