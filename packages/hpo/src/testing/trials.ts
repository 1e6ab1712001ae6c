import { ReportedValues } from '../trial/reported-values';
import { type FrozenTrial } from '../trial/frozen-trial';

/** A trial as a storage would give it; what is not said is empty. */
export function frozenTrial(parts: Partial<FrozenTrial> & { number: number }): FrozenTrial {
  return {
    id: parts.number,
    state: 'COMPLETE',
    value: undefined,
    values: undefined,
    params: {},
    distributions: {},
    unreadableParams: {},
    intermediateValues: ReportedValues.of(),
    userAttrs: {},
    systemAttrs: {},
    datetimeStart: undefined,
    datetimeComplete: undefined,
    ...parts,
  };
}
