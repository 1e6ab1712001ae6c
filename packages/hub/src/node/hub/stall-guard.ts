import { TransientError } from '../../http/retry';
import { safeUrl } from '../../http/url';

/** Aborts a connection on which nothing has come for a while. `stop` must be called at its end. */
export function stallGuard(url: URL, milliseconds: number): { signal: AbortSignal; alive(): void; stop(): void } {
  const controller = new AbortController();
  const place = safeUrl(url);
  const give = (): void => {
    const message = `${place}: the server sent nothing for ${milliseconds / 1000} s. Check the network; try again.`;
    controller.abort(new TransientError('NETWORK', message, { place }));
  };
  let timer = setTimeout(give, milliseconds);
  return {
    signal: controller.signal,
    alive: () => {
      clearTimeout(timer);
      timer = setTimeout(give, milliseconds);
    },
    stop: () => clearTimeout(timer),
  };
}
