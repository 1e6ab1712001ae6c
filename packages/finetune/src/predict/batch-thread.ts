/** A further thread that labels batches with a copy of the model, beside the one that asks. */
export interface BatchThread {
  /** Probabilities or numbers [rows, labels], flat, of one batch. Several may be asked at once; they are answered in turn. */
  outputs(inputIds: readonly (readonly number[])[], adapter: string): Promise<Float32Array>;
  /** Ends it. */
  end(): Promise<void>;
}

/** Batches that a thread is asked for at once, so that it never waits for the main thread's own batch to end. */
const ASKED_AT_ONCE = 2;

/**
 * Has every batch computed once, by whichever thread is free: the caller's through `own`, which blocks it, and the others.
 * @param done called with the number of each batch and what came of it
 */
export async function dealOut<Batch, Result>(
  batches: readonly Batch[],
  workers: {
    readonly own: (batch: Batch) => Promise<Result>;
    readonly others: readonly ((batch: Batch) => Promise<Result>)[];
  },
  done: (batch: number, result: Result) => void,
): Promise<void> {
  const { own, others } = workers;
  let next = 0;
  const work = async (compute: (batch: Batch) => Promise<Result>, turns: boolean): Promise<void> => {
    while (next < batches.length) {
      const batch = next++;
      done(batch, await compute(batches[batch]!));
      if (turns) await turn();
    }
  };
  await Promise.all([
    ...others.flatMap((other) => Array.from({ length: ASKED_AT_ONCE }, () => work(other, false))),
    // Answers of the others come in between this thread's own batches.
    work(own, others.length > 0),
  ]);
}

function turn(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 0));
}
