import { openDevice } from '@qlora-js/kernels';
import { expect, it } from 'vitest';
import { windowGradients } from '../steps/gradients';
import { sequenceClassifier } from '../model/sequence-classifier';
import { collator, PAD, tinyClassifier, tinyRows } from '../testing/tiny-classifier';
import { eventPort, webWorkerLink } from './port';
import { Replicas } from './replicas';
import { serveReplica } from './serve';

/** A Web Worker as far as a link goes, its other side in this thread. */
class FakeWorker extends EventTarget {
  readonly channel = new MessageChannel();
  terminated = 0;

  constructor() {
    super();
    this.channel.port1.onmessage = ({ data }: MessageEvent<unknown>) =>
      this.dispatchEvent(new MessageEvent('message', { data }));
  }

  postMessage(message: unknown, transfer: Transferable[]): void {
    this.channel.port1.postMessage(message, transfer);
  }

  terminate(): void {
    this.terminated++;
    this.channel.port1.close();
  }
}

const asWorker = (worker: FakeWorker): Worker => worker as EventTarget as Worker;

it("a Web Worker's link and scope carry a step, over events alone", async () => {
  const device = await openDevice({ backend: 'cpu' });
  const worker = new FakeWorker();
  serveReplica(eventPort(worker.channel.port2), () =>
    sequenceClassifier(tinyClassifier({ dropout: 0 }), { padTokenId: PAD }),
  );
  const replicas = await Replicas.connect({ links: [webWorkerLink(asWorker(worker))], setup: undefined });
  const classifier = sequenceClassifier(tinyClassifier({ dropout: 0 }), { padTokenId: PAD });
  const variables = classifier.trainedVariables();
  const window = [collator().collate([0, 1, 2].map((row) => tinyRows(3).row(row)))];
  const shared = await replicas.windowGradients(classifier, variables, window, { seed: 0, step: 0 });
  const alone = windowGradients(classifier, variables, window, { seed: 0, step: 0 });
  expect((await shared.loss.data())[0]).toBeCloseTo((await alone.loss.data())[0]!, 6);
  expect(worker.terminated).toBe(0);
  await replicas.dispose();
  expect(worker.terminated).toBe(1);
  device.dispose();
});

it("a Web Worker's error event ends the wait and the worker", async () => {
  const worker = new FakeWorker();
  const connecting = Replicas.connect({ links: [webWorkerLink(asWorker(worker))], setup: undefined });
  worker.dispatchEvent(Object.assign(new Event('error'), { message: 'Unexpected token' }));
  await expect(connecting).rejects.toMatchObject({
    code: 'REPLICA_FAILED',
    message: 'replica 1 of 1 failed at its set-up: Unexpected token',
  });
  expect(worker.terminated).toBe(1);
});
