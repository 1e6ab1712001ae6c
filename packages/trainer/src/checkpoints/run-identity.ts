import type { TrainingArguments } from '../arguments/types';
import { TrainerError } from '../errors';

/** What a run is made of; a resumed one has to be made of the same to come to the same. */
export interface RunIdentity {
  /** SHA-256 by name: `base`, `data`, and what the caller adds, such as `tokenizer`. */
  readonly hashes: Readonly<Record<string, string>>;
  /** The arguments that the course of the training depends on. */
  readonly arguments: Readonly<Record<string, unknown>>;
  /** What it ran on: other machines round differently. */
  readonly environment: Readonly<Record<string, string | number>>;
}

const OTHER_ROWS = 'each step would be made of other rows, and an epoch of another number of steps';
const OTHER_DRAWS = 'rows would come in another order, and dropout would draw other masks';
const OTHER_STEPS = 'the steps to come would be others';

/** Arguments that the course of a training depends on, and what a change in the middle of it does. */
const COURSE = {
  perDeviceTrainBatchSize: OTHER_ROWS,
  gradientAccumulationSteps: OTHER_ROWS,
  dataloaderDropLast: OTHER_ROWS,
  seed: OTHER_DRAWS,
  dataSeed: 'rows would come in another order',
  groupByLength: 'rows would come in another order',
  numTrainEpochs: 'the learning rate would follow a schedule of another length',
  maxSteps: 'the learning rate would follow a schedule of another length',
  lrSchedulerType: 'the learning rate would follow another schedule',
  lrSchedulerKwargs: 'the learning rate would follow another schedule',
  warmupSteps: 'the learning rate would follow another schedule',
  labelSmoothingFactor: 'another loss would be minimised',
  learningRate: OTHER_STEPS,
  weightDecay: OTHER_STEPS,
  adamBeta1: OTHER_STEPS,
  adamBeta2: OTHER_STEPS,
  adamEpsilon: OTHER_STEPS,
  maxGradNorm: OTHER_STEPS,
  activationDtype: OTHER_STEPS,
  fp16: OTHER_STEPS,
  optim: "the optimiser's moments would be kept in another way",
} as const satisfies Partial<Record<keyof TrainingArguments, string>>;

/** The part of the arguments that belongs to a run's identity. */
export function courseOf(args: TrainingArguments): Record<string, unknown> {
  // A dataSeed that follows the seed is no change of its own.
  const { dataSeed } = args;
  const told = { ...args, dataSeed: dataSeed === args.seed ? undefined : dataSeed };
  return Object.fromEntries(Object.keys(COURSE).map((name) => [name, told[name as keyof typeof COURSE]]));
}

/** One thing that has changed since a checkpoint was written. */
export interface Change {
  readonly name: string;
  readonly before: unknown;
  readonly now: unknown;
  /** What the run would be from here on. */
  readonly effect: string;
}

/** What has changed between two identities; the environment is told apart, since it changes last digits alone. */
export function changesBetween(before: RunIdentity, now: RunIdentity): Change[] {
  const changes: Change[] = [];
  const compare = (
    [then, today]: readonly [Readonly<Record<string, unknown>>, Readonly<Record<string, unknown>>],
    effectOf: (name: string) => string,
  ): void => {
    for (const name of new Set([...Object.keys(then), ...Object.keys(today)])) {
      if (JSON.stringify(then[name]) === JSON.stringify(today[name])) continue;
      changes.push({ name, before: then[name], now: today[name], effect: effectOf(name) });
    }
  };
  compare([before.hashes, now.hashes], (name) =>
    name === 'data'
      ? 'rows that were trained on would come again, and others never'
      : `the adapter was trained with another ${name}`,
  );
  compare([before.arguments, now.arguments], (name) => COURSE[name as keyof typeof COURSE] ?? OTHER_STEPS);
  return changes;
}

/**
 * Refuses changes that were not accepted by name.
 *
 * @throws TrainerError BAD_CHECKPOINT that lists each with what it does
 */
export function refuseChanges(changes: readonly Change[], accepted: readonly string[], place: string): void {
  const refused = changes.filter(({ name }) => !accepted.includes(name));
  if (refused.length === 0) return;
  const lines = refused.map(
    ({ name, before, now, effect }) => `${name} was ${shown(before)} and is ${shown(now)} (${effect})`,
  );
  throw new TrainerError('BAD_CHECKPOINT', `${place} is of another run: ${lines.join('; ')}`, {
    value: refused.map(({ name }) => name),
    remedy: `undo that, or take it with acceptChanges: ${JSON.stringify(refused.map(({ name }) => name))}`,
  });
}

/** The names by which another machine or another number of threads is told. */
export function environmentChanges(before: RunIdentity, now: RunIdentity): string[] {
  return Object.keys(now.environment)
    .filter((name) => before.environment[name] !== now.environment[name])
    .map((name) => `${name} ${String(before.environment[name])} before, ${String(now.environment[name])} now`);
}

function shown(value: unknown): string {
  const text = JSON.stringify(value) ?? 'not there';
  return text.length > 20 && /^"[0-9a-f]+"$/.test(text) ? `${text.slice(1, 13)}…` : text;
}
