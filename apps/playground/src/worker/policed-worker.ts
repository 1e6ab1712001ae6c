/**
 * A worker that the page's Content-Security-Policy holds: one that is started from an address has the policy of that
 * answer's headers, which a static site may not send; one that is started from a Blob has its maker's.
 *
 * @param module absolute address of its module
 */
export function policedWorker(module: string, name: string): Worker {
  const script = new Blob([`import ${JSON.stringify(module)};`], { type: 'text/javascript' });
  const address = URL.createObjectURL(script);
  const worker = new Worker(address, { type: 'module', name });
  // The address is read when the worker starts, which it has by its first message; kept, it would hold a few bytes.
  worker.addEventListener('message', () => URL.revokeObjectURL(address), { once: true });
  return worker;
}
