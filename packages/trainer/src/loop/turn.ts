/**
 * Lets the event loop turn once. On cpu and wasm every await of a step is over at once, so without it neither a signal nor
 * the writing of a checkpoint would get its turn. (tfjs' nextFrame waits for a frame, and a page in the background has none.)
 */
export function turn(): Promise<void> {
  return new Promise((resolve) => {
    if (typeof setImmediate === 'function') {
      setImmediate(resolve);
      return;
    }
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => {
      port1.close();
      resolve();
    };
    port2.postMessage(undefined);
  });
}
