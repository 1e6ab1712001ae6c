import type { TrainingArguments } from '../arguments/types';
import type { TrainerCallback, TrainerControl } from '../callbacks/callback';
import { TrainerError } from '../errors';
import type { TrainerState } from '../state/trainer-state';

/** Names of the events a callback may listen to. */
type EventName = Extract<keyof TrainerCallback, `on${string}`>;

/** Calls a run's callbacks, in their order, and keeps what they remember. */
export class Events {
  constructor(
    private readonly callbacks: readonly TrainerCallback[],
    private readonly context: {
      readonly args: TrainingArguments;
      readonly state: TrainerState;
      readonly control: TrainerControl;
    },
  ) {
    this.stateful();
  }

  /** Whether any callback listens. */
  listens(event: EventName): boolean {
    return this.callbacks.some((callback) => callback[event] !== undefined);
  }

  async emit(event: EventName, extra: object = {}): Promise<void> {
    const context = { ...this.context, ...extra };
    for (const callback of this.callbacks) {
      const listeners = callback as Partial<Record<EventName, (context: object) => void | Promise<void>>>;
      await listeners[event]?.(context);
    }
  }

  /** What the callbacks remember, by name, and the control as transformers keeps it beside them. */
  async states(): Promise<Record<string, object>> {
    const { shouldEvaluate, shouldLog, shouldSave, shouldTrainingStop } = this.context.control;
    const states: Record<string, object> = {
      TrainerControl: {
        args: {
          should_epoch_stop: false,
          should_evaluate: shouldEvaluate,
          should_log: shouldLog,
          should_save: shouldSave,
          should_training_stop: shouldTrainingStop,
        },
        attributes: {},
      },
    };
    for (const [name, callback] of this.stateful()) states[name] = await callback.stateDict!();
    return states;
  }

  /** Gives the callbacks back what they remembered; one that was not there then begins anew. */
  async load(states: Readonly<Record<string, object>>): Promise<void> {
    for (const [name, callback] of this.stateful()) {
      if (Object.hasOwn(states, name)) await callback.loadStateDict?.(states[name]!);
    }
  }

  /** @throws TrainerError BAD_ARGUMENT where a state would have no name of its own */
  private stateful(): Map<string, TrainerCallback> {
    const named = new Map<string, TrainerCallback>();
    for (const callback of this.callbacks) {
      if (callback.stateDict === undefined) continue;
      const { name } = callback;
      if (name === undefined || named.has(name) || name === 'TrainerControl') {
        throw new TrainerError(
          'BAD_ARGUMENT',
          `a callback with a stateDict is called ${JSON.stringify(name)}, but its state needs a name of its own in a checkpoint`,
          { value: name, remedy: 'give it a name that no other callback has' },
        );
      }
      named.set(name, callback);
    }
    return named;
  }
}
