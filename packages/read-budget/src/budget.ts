import { type Refuse } from './refusal';

/** The most that the documents of one call may cost together. */
export interface ReadLimits {
  /** Bytes of memory of the documents and of what is made of them; 2 ** 30 by default. */
  readonly memoryBytes?: number;
  /** Steps of work, each some 0.1 microseconds of one core; 200,000,000 by default. */
  readonly steps?: number;
}

/**
 * What a document may cost for each of its bytes, and what any may cost however short it is. Files that were made in
 * earnest stay below both: a header of safetensors takes 6 bytes and 0.5 steps a byte, a vocab.json 6 and 0.4,
 * a pickled state dict 15 and 0.7. A shorter document that takes more was made to do harm, or is damaged.
 */
const MEMORY_PER_BYTE = 24;
const MEMORY_OF_ANY = 2 ** 24;
const STEPS_PER_BYTE = 1;
const STEPS_OF_ANY = 1_000_000;

const DEFAULT_LIMITS: Required<ReadLimits> = { memoryBytes: 2 ** 30, steps: 200_000_000 };

/** The account of one document. */
export interface DocumentBudget {
  /** The document, as errors call it. */
  readonly place: string;
  /** Makes the error that is thrown where something is refused. */
  readonly refuse: Refuse;
  /** Books work and memory, in advance. Throws where the document, or the whole call, takes more than it may. */
  spend(steps: number, memoryBytes: number): void;
  /** Gives the document's memory back, where all that was made of it is dropped. Its work stays done. */
  release(): void;
}

/**
 * One budget for all that a call reads: each document may cost in proportion to its bytes, and all of them together no
 * more than the limits. Readers book before they build, so that a hostile file is refused and not survived.
 */
export class ReadBudget {
  private readonly limits: Required<ReadLimits>;
  private memory = 0;
  private steps = 0;

  /** @param refuse makes the error of the package that reads */
  constructor(
    limits: ReadLimits | undefined,
    private readonly refuse: Refuse,
  ) {
    this.limits = { ...DEFAULT_LIMITS, ...limits };
    for (const name of ['memoryBytes', 'steps'] as const) {
      const value: unknown = this.limits[name];
      if (typeof value === 'number' && value > 0) continue;
      const message = `limits.${name} is ${String(value)}: give a number above 0, or leave it out`;
      throw refuse({ code: 'INVALID_LIMIT', message, place: `limits.${name}`, value });
    }
  }

  /** Opens the account of a document of that many bytes, which are booked at once. Throws where they are too many. */
  document(place: string, bytes: number): DocumentBudget {
    const memoryAllowed = bytes + MEMORY_PER_BYTE * bytes + MEMORY_OF_ANY;
    const stepsAllowed = STEPS_PER_BYTE * bytes + STEPS_OF_ANY;
    let [memory, steps] = [0, 0];
    const over = (what: string, needed: number, allowed: number, remedy: string): Error => {
      const message = `${place}: reading its ${bytes} bytes would take more than ${allowed} ${what}. ${remedy}`;
      return this.refuse({ code: 'OVER_BUDGET', message, place, value: needed });
    };
    const disproportionate = 'No file made in earnest does: it is damaged, or was made to do harm.';
    const { limits } = this;
    const account: DocumentBudget = {
      place,
      refuse: this.refuse,
      spend: (moreSteps, moreMemory) => {
        steps += moreSteps;
        memory += moreMemory;
        this.steps += moreSteps;
        this.memory += moreMemory;
        if (memory > memoryAllowed) throw over('bytes of memory', memory, memoryAllowed, disproportionate);
        if (steps > stepsAllowed) throw over('steps of work', steps, stepsAllowed, disproportionate);
        if (this.memory > limits.memoryBytes) {
          const remedy = 'That is the limit of this call: give a higher limits.memoryBytes if you trust the file.';
          throw over('bytes of memory', this.memory, limits.memoryBytes, remedy);
        }
        if (this.steps > limits.steps) {
          const remedy = 'That is the limit of this call: give higher limits.steps if you trust the file.';
          throw over('steps of work', this.steps, limits.steps, remedy);
        }
      },
      release: () => {
        this.memory -= memory;
        memory = 0;
      },
    };
    account.spend(0, bytes);
    return account;
  }
}
