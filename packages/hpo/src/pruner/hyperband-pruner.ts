import { checkAtLeast, checkOptions } from '../check-options';
import { HpoError } from '../errors';
import { type StudyView } from '../study/study-view';
import { type FrozenTrial } from '../trial/frozen-trial';
import { crc32 } from './crc32';
import { type Pruner } from './pruner';
import { SuccessiveHalvingPruner } from './successive-halving-pruner';

export interface HyperbandPrunerOptions {
  /** Steps to the first rung of the bracket that prunes most. */
  minResource?: number;
  /** Steps of a whole trial; 'auto': those of the longest completed one, known once one has completed. */
  maxResource?: number | 'auto';
  reductionFactor?: number;
  bootstrapCount?: number;
}

interface Bracket {
  pruner: SuccessiveHalvingPruner;
  /** Its share of the trials, against the other brackets'. */
  budget: number;
}

/**
 * Hyperband (Li et al. 2018, "Hyperband: A Novel Bandit-Based Approach to Hyperparameter Optimization"): successive
 * halving in several brackets, from one that prunes early to one that never does; a trial's bracket follows from the
 * study's name and its number. Give the study a name to have the same brackets again. The sampler learns from all
 * brackets, as Optuna 5's TPE does. Source: optuna.pruners.HyperbandPruner.
 */
export class HyperbandPruner implements Pruner {
  private readonly options: Required<HyperbandPrunerOptions>;
  private brackets: readonly Bracket[] | undefined;

  constructor(options: HyperbandPrunerOptions = {}) {
    checkOptions('HyperbandPruner', options, ['minResource', 'maxResource', 'reductionFactor', 'bootstrapCount']);
    const { minResource = 1, maxResource = 'auto', reductionFactor = 3, bootstrapCount = 0 } = options;
    checkAtLeast('minResource', minResource, 1);
    if (maxResource !== 'auto') checkAtLeast('maxResource', maxResource, minResource);
    checkAtLeast('reductionFactor', reductionFactor, 2);
    checkAtLeast('bootstrapCount', bootstrapCount, 0);
    if (bootstrapCount > 0 && maxResource === 'auto') {
      throw new HpoError('INVALID_ARGUMENT', "bootstrapCount needs a maxResource that is a number, not 'auto'", {
        value: bootstrapCount,
      });
    }
    this.options = { minResource, maxResource, reductionFactor, bootstrapCount };
  }

  prune(study: StudyView, trial: FrozenTrial): boolean {
    const brackets = (this.brackets ??= this.makeBrackets(study));
    if (brackets === undefined) return false;
    const bracket = bracketOf(brackets, study.name, trial.number);
    const ofBracket: StudyView = {
      name: study.name,
      id: study.id,
      direction: study.direction,
      storage: study.storage,
      logger: study.logger,
      getTrials: (states) =>
        study.getTrials(states).filter((other) => bracketOf(brackets, study.name, other.number) === bracket),
      requestStop: () => study.requestStop(),
    };
    return bracket.pruner.prune(ofBracket, trial);
  }

  private makeBrackets(study: StudyView): readonly Bracket[] | undefined {
    const { minResource, reductionFactor, bootstrapCount } = this.options;
    let { maxResource } = this.options;
    if (maxResource === 'auto') {
      const steps = study.getTrials(['COMPLETE']).flatMap((trial) => trial.intermediateValues.lastStep ?? []);
      if (steps.length === 0) return undefined;
      maxResource = steps.reduce((a, b) => Math.max(a, b)) + 1;
    }
    const count = Math.floor(Math.log(maxResource / minResource) / Math.log(reductionFactor)) + 1;
    return Array.from({ length: count }, (_, rate) => {
      const later = count - 1 - rate;
      return {
        pruner: new SuccessiveHalvingPruner({
          minResource,
          reductionFactor,
          minEarlyStoppingRate: rate,
          bootstrapCount,
        }),
        budget: Math.ceil((count * reductionFactor ** later) / (later + 1)),
      };
    });
  }
}

function bracketOf(brackets: readonly Bracket[], studyName: string, trialNumber: number): Bracket {
  const total = brackets.reduce((sum, { budget }) => sum + budget, 0);
  let place = crc32(`${studyName}_${trialNumber}`) % total;
  return brackets.find(({ budget }) => (place -= budget) < 0)!;
}
