import { openDevice } from '@qlora-js/kernels';
import { mainThreadPort } from '../node/replicas';
import { serveReplica } from '../replicas/serve';
import { goldenModel } from './golden-tasks';

/** What tests run in a worker thread: a recorded run's model. */
serveReplica(mainThreadPort(), async ({ run }: { readonly run: string }) => {
  await openDevice({ backend: 'wasm' });
  return goldenModel(run);
});
