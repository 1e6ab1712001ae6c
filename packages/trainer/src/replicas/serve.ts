import { TrainerError } from '../errors';
import { partGradients, scaled } from '../steps/gradients';
import type { TrainableModel, UploadedBatch } from '../model/trainable-model';
import { assignFlat, flatten } from '../steps/flat';
import type { ReplicaAnswer, ReplicaRequest } from './messages';
import { batchOutput } from '../steps/outputs';
import type { ReplicaPort } from './port';
import { serveRequests } from './serve-requests';

/**
 * Makes this thread a replica: it builds the model once and then computes gradients of the rows it is given until the
 * main thread ends it. To be called in a worker's module.
 *
 * @param makeModel opens a device and builds the main thread's model, its adapter active, from the `setup` that the main
 *   thread gave: the same frozen weights, and trained variables of the same shapes in the same order. The trained
 *   variables' values and names may differ; values come with every step. What it throws fails the main thread's start.
 */
export function serveReplica<Setup, Batch extends UploadedBatch>(
  port: ReplicaPort,
  makeModel: (setup: Setup) => TrainableModel<Batch> | Promise<TrainableModel<Batch>>,
): void {
  let model: TrainableModel<Batch> | undefined;

  const answer = async (request: ReplicaRequest): Promise<ReplicaAnswer> => {
    if (request.kind === 'setUp') {
      model = await makeModel(request.setup as Setup);
      const variables = model.trainedVariables().map(({ name, variable: { shape } }) => ({ name, shape }));
      return { kind: 'ready', variables };
    }
    if (model === undefined)
      throw new TrainerError('REPLICA_FAILED', `the request ${request.kind} came before a model was set up`);
    if (request.kind === 'configure') {
      model.setGradientCheckpointing(request.settings.gradientCheckpointing);
      model.setActivationDtype(request.settings.activationDtype);
      return { kind: 'configured' };
    }
    return request.kind === 'outputs' ? outputsOf(model, request) : gradientsOf(model, request);
  };

  serveRequests(port, answer, buffersOf);
}

function buffersOf(answer: ReplicaAnswer): ArrayBuffer[] {
  if (answer.kind === 'gradients') return [answer.gradients.buffer];
  return answer.kind === 'outputs' ? answer.outputs.map(({ logits }) => logits.buffer) : [];
}

function outputsOf<Batch extends UploadedBatch>(
  model: TrainableModel<Batch>,
  { parameters, batches }: Extract<ReplicaRequest, { kind: 'outputs' }>,
): ReplicaAnswer {
  assignFlat(model.trainedVariables(), parameters);
  return { kind: 'outputs', outputs: batches.map((batch) => batchOutput(model, batch)) };
}

function gradientsOf<Batch extends UploadedBatch>(
  model: TrainableModel<Batch>,
  { parameters, parts, position, lossScale }: Extract<ReplicaRequest, { kind: 'gradients' }>,
): ReplicaAnswer {
  const trained = model.trainedVariables();
  assignFlat(trained, parameters);
  const { loss, gradients } = partGradients(model, trained, parts, position, {
    scaleLoss: (value) => scaled(value, lossScale),
  });
  const flat = flatten([...gradients.values()]);
  const [value] = loss.dataSync();
  for (const held of [loss, ...gradients.values()]) held.dispose();
  return { kind: 'gradients', loss: value!, gradients: flat };
}
