import { checkOptions } from '../../check-options';
import {
  type Distribution,
  type ParamValue,
  type SearchSpace,
  toExternal,
  toInternal,
} from '../../distribution/distribution';
import { decimalRange } from '../../distribution/decimal';
import { HpoError, shown } from '../../errors';
import { RandomState } from '../../random/random-state';
import { type StudyView } from '../../study/study-view';
import { type FrozenTrial, type TrialState } from '../../trial/frozen-trial';
import { type Sampler } from '../sampler';
import { TriedTree } from './tree';

/** More candidates of one parameter are not a search that ends. */
const candidateLimit = 1_000_000;

/** How a BruteForceSampler goes about it. */
export interface BruteForceSamplerOptions {
  /** Of the order of the trials. */
  seed?: number;
  /** Tries what other workers are at as well, rather than end while they might fail. */
  avoidPrematureStop?: boolean;
}

function candidatesOf(name: string, distribution: Distribution): readonly number[] {
  if (distribution.kind === 'categorical') return [...distribution.choices.keys()];
  const { low, high, step } = distribution;
  if (step === undefined) {
    throw new HpoError(
      'INVALID_DISTRIBUTION',
      `parameter ${shown(name)} needs a step: without one it has no end of values`,
      {
        place: name,
        remedy: 'Set step, or use another sampler than BruteForceSampler',
      },
    );
  }
  if ((high - low) / step >= candidateLimit) {
    throw new HpoError('INVALID_DISTRIBUTION', `parameter ${shown(name)} has more than ${candidateLimit} values`, {
      place: name,
    });
  }
  return decimalRange({ low, high, step });
}

/**
 * Tries every combination of parameters once, of a space that may change with the values chosen, and then stops the
 * study. Source: optuna.samplers.BruteForceSampler.
 */
export class BruteForceSampler implements Sampler {
  private readonly random: RandomState;
  /** Whether what other trials are at counts as tried. */
  private readonly idle: boolean;

  constructor(options: BruteForceSamplerOptions = {}) {
    checkOptions('BruteForceSampler', options, ['seed', 'avoidPrematureStop']);
    this.random = new RandomState(options.seed);
    this.idle = !(options.avoidPrematureStop ?? false);
  }

  inferRelativeSearchSpace(): SearchSpace {
    return {};
  }

  sampleRelative(): Readonly<Record<string, ParamValue>> {
    return {};
  }

  sampleIndependent(study: StudyView, trial: FrozenTrial, name: string, distribution: Distribution): ParamValue {
    const tree = new TriedTree();
    const candidates = candidatesOf(name, distribution);
    tree.expand(name, candidates);
    for (const other of begun(study)) {
      if (other.number !== trial.number) addBelow(tree, other, Object.entries(trial.params));
    }
    const chosen =
      tree.open(this.idle) > 0
        ? tree.draw(this.random, this.idle)
        : candidates[this.random.integer(candidates.length - 1)]!;
    return toExternal(distribution, chosen);
  }

  afterTrial(study: StudyView, trial: FrozenTrial, state: TrialState): void {
    const trials = begun(study).map((other) => (other.number === trial.number ? { ...trial, state } : other));
    const params = Object.entries(trial.params);
    // From the last parameter to the first: few trials share the long beginnings.
    while (params.length > 0) {
      params.pop();
      const tree = new TriedTree();
      for (const other of trials) addBelow(tree, other, params);
      if (tree.open(this.idle) > 0) return;
    }
    study.requestStop();
  }
}

function begun(study: StudyView): readonly FrozenTrial[] {
  return study.storage.getTrials(study.id, ['COMPLETE', 'PRUNED', 'RUNNING', 'FAIL']);
}

/** Adds what a trial has besides some parameters, where it has those. */
function addBelow(tree: TriedTree, trial: FrozenTrial, params: readonly (readonly [string, ParamValue])[]): void {
  const same = params.every(
    ([name, value]) => Object.hasOwn(trial.params, name) && Object.is(trial.params[name], value),
  );
  if (!same) return;
  const names = new Set(params.map(([name]) => name));
  const path = Object.entries(trial.distributions)
    .filter(([name]) => !names.has(name))
    .map(([name, distribution]) => ({
      name,
      candidates: candidatesOf(name, distribution),
      value: toInternal(distribution, trial.params[name], name),
    }));
  tree.add(path, trial.state);
}
