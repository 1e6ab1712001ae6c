import { HubError, type HubErrorCode, type HubErrorDetails } from '../error';

export type Fetch = typeof globalThis.fetch;

export interface RetryOptions {
  /** Tries in all; 5 by default. Each that moved a download forward starts the count again. */
  attempts?: number;
  /** Waits between tries; a timer by default. */
  wait?: (milliseconds: number) => Promise<void>;
}

/** A failure that may pass: a broken connection, a busy or failing server. */
export class TransientError extends HubError {
  constructor(
    code: HubErrorCode,
    message: string,
    details: HubErrorDetails,
    /** What the server asked for (Retry-After). */
    readonly retryAfter?: number,
  ) {
    super(code, message, details);
  }
}

const firstDelay = 500;
/** A server that asks for more patience than this gets its error reported instead. */
const longestDelay = 60_000;

export const sleep = (milliseconds: number): Promise<void> =>
  new Promise((resolve) => {
    setTimeout(resolve, milliseconds);
  });

/**
 * Runs `run` until it succeeds, fails for good, or has failed `attempts` times in a row; waits 0.5 s, 1 s, 2 s, ... with
 * jitter between, or as long as the server said. `run` calls `progressed` when it got further than before.
 */
export async function retrying<Result>(
  run: (progressed: () => void) => Promise<Result>,
  { attempts = 5, wait = sleep }: RetryOptions = {},
): Promise<Result> {
  for (let failures = 0; ;) {
    try {
      return await run(() => (failures = 0));
    } catch (error) {
      if (!(error instanceof TransientError) || ++failures >= attempts) throw error;
      const delay = error.retryAfter ?? firstDelay * 2 ** (failures - 1) * (0.75 + Math.random() / 2);
      if (delay > longestDelay) throw error;
      await wait(delay);
    }
  }
}
