import type { Failed, Message } from './asked-thread';
import type { ReplicaPort } from './port';

/**
 * Answers the requests of an `AskedThread` at the other end, one after the other; what `answer` throws is an answer too.
 *
 * @param transfer buffers of an answer that are handed over instead of copied
 */
export function serveRequests<Request extends Message, Answer extends Message>(
  port: ReplicaPort,
  answer: (request: Request) => Promise<Answer>,
  transfer: (answer: Answer) => ArrayBuffer[],
): void {
  let previous = Promise.resolve();
  port.listen((message) => {
    previous = previous.then(async () => {
      try {
        const result = await answer(message as Request);
        port.post(result, transfer(result));
      } catch (error) {
        const { message: text, stack } = error instanceof Error ? error : new Error(String(error));
        port.post({ kind: 'failed', message: text, stack } satisfies Failed);
      }
    });
  });
}
