import { checkOptions } from '../../check-options';
import { type Distribution, type ParamValue, type SearchSpace, toExternal } from '../../distribution/distribution';
import { HpoError, shown } from '../../errors';
import { orderedRecord } from '../../ordered-record';
import { ownProperty } from '../../own-property';
import { sha256 } from '../../random/sha256';
import { compareNames } from '../../study/compare-names';
import { type StudyView } from '../../study/study-view';
import { type FrozenTrial, type TrialState } from '../../trial/frozen-trial';
import { RandomSampler } from '../random-sampler';
import { type Sampler } from '../sampler';
import { fromQuantile } from '../uniform';
import { haltonPoint } from './halton';
import { distributionText } from './python-text';
import { sobolPoint } from './sobol';

/** Which sequence a QMCSampler draws from. */
export interface QMCSamplerOptions {
  /** Default: sobol. */
  qmcType?: 'sobol' | 'halton';
  /** Of the sampler of what is not drawn from the sequence; the sequence itself has none. */
  seed?: number;
  /** For the first trial, and for parameters that it did not have. Default: RandomSampler. */
  independentSampler?: Sampler;
}

/**
 * Points that fill the space more evenly than random ones: the Sobol or the Halton sequence, without scrambling. The
 * space is that of the first trial. Workers on one storage share the sequence by a counter in the study's system
 * attributes; two that draw at the same moment may draw one point twice. Source: optuna.samplers.QMCSampler.
 */
export class QMCSampler implements Sampler {
  private readonly qmcType: 'sobol' | 'halton';
  private readonly independentSampler: Sampler;
  /** Highest point drawn here, by study and key: a storage may take its time to show what was written. */
  private readonly drawn = new WeakMap<object, Map<string, number>>();

  constructor(options: QMCSamplerOptions = {}) {
    checkOptions('QMCSampler', options, ['qmcType', 'seed', 'independentSampler']);
    const { qmcType = 'sobol', seed } = options;
    if (qmcType !== 'sobol' && qmcType !== 'halton') {
      throw new HpoError('INVALID_ARGUMENT', `qmcType must be sobol or halton, but is ${shown(qmcType)}`, {
        place: 'qmcType',
        value: qmcType,
      });
    }
    this.qmcType = qmcType;
    this.independentSampler = options.independentSampler ?? new RandomSampler({ seed });
  }

  inferRelativeSearchSpace(study: StudyView): SearchSpace {
    const [first] = study.getTrials(['COMPLETE', 'PRUNED']);
    if (first !== undefined) return first.distributions;
    // The first trial's parameters are drawn one by one; others that run beside it take what it has shown so far.
    const running = study.getTrials(['RUNNING']).filter(({ distributions }) => Object.keys(distributions).length > 0);
    return orderedRecord(running.flatMap(({ distributions }) => Object.entries(distributions)));
  }

  sampleRelative(study: StudyView, _trial: FrozenTrial, space: SearchSpace): Readonly<Record<string, ParamValue>> {
    const entries = Object.entries(space);
    if (entries.length === 0) return {};
    const index = this.nextIndex(study, space);
    const point = (this.qmcType === 'sobol' ? sobolPoint : haltonPoint)(index, entries.length);
    return orderedRecord(
      entries.map(([name, distribution], i) => {
        if (distribution.kind !== 'categorical') return [name, fromQuantile(distribution, point[i]!)];
        return [name, toExternal(distribution, Math.floor(point[i]! * distribution.choices.length))];
      }),
    );
  }

  sampleIndependent(study: StudyView, trial: FrozenTrial, name: string, distribution: Distribution): ParamValue {
    return this.independentSampler.sampleIndependent(study, trial, name, distribution);
  }

  beforeTrial(study: StudyView, trial: FrozenTrial): void {
    this.independentSampler.beforeTrial?.(study, trial);
  }

  afterTrial(study: StudyView, trial: FrozenTrial, state: TrialState): void {
    this.independentSampler.afterTrial?.(study, trial, state);
  }

  /** Takes the next point of the sequence. Source: QMCSampler._find_sample_id. */
  private nextIndex(study: StudyView, space: SearchSpace): number {
    const texts = Object.entries(space)
      .sort(([a], [b]) => compareNames(a, b))
      .map(([name, distribution]) => `${asciiJson(name)}: ${asciiJson(distributionText(distribution))}`);
    const key = `qmc:${sha256(`{"qmc_type": "${this.qmcType}", "search_space": {${texts.join(', ')}}, "scramble": false}`)}`;
    const counters = this.drawn.get(study.storage) ?? new Map<string, number>();
    this.drawn.set(study.storage, counters);
    const counter = `${study.id} ${key}`;
    const stored = ownProperty(study.storage.getStudy(study.id).systemAttrs, key);
    const next = Math.max(typeof stored === 'number' ? stored : -1, counters.get(counter) ?? -1) + 1;
    counters.set(counter, next);
    Promise.resolve(study.storage.setStudySystemAttr(study.id, key, next)).catch((error: unknown) =>
      study.logger.warn(`the QMC sampler's counter could not be stored: ${String(error)}`),
    );
    return next;
  }
}

/** JSON as Python's json.dumps has it by default: ASCII alone. */
function asciiJson(text: string): string {
  return JSON.stringify(text).replaceAll(
    /[\u007f-\uffff]/g,
    (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}
