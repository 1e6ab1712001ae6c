import { openDevice } from '@qlora-js/kernels';
import { sequenceClassifier, type ClassificationBatch } from '../model/sequence-classifier';
import type { TrainableModel } from '../model/trainable-model';
import { mainThreadPort } from '../node/replicas';
import { serveReplica } from '../replicas/serve';
import type { TinyReplicaSetup } from './start-tiny-replicas';
import { PAD, tinyClassifier } from './tiny-classifier';

/** What tests run in a worker thread: the tiny classifier, or one that goes wrong where the set-up says. */
serveReplica(mainThreadPort(), async ({ model, fault }: TinyReplicaSetup) => {
  if (fault === 'throw at set-up') throw new RangeError('no such base');
  if (fault === 'exit at set-up') process.exit(7);
  await openDevice({ backend: 'wasm' });
  const classifier = sequenceClassifier(tinyClassifier(model), { padTokenId: PAD });
  let steps = 0;
  const loss: TrainableModel<ClassificationBatch>['loss'] = (batch, context) => {
    if (fault === 'throw in its second step' && steps++ === 1) throw new RangeError('no such token');
    if (fault === 'exit in a step') process.exit(7);
    return classifier.loss(batch, context);
  };
  return { ...classifier, loss };
});
