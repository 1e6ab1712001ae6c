import { defineOp, type OpGradient } from '../../engine/op';
import { composeScatterRows } from './compose';
import type { GatherRowsAttributes, GatherRowsInputs, ScatterRowsInputs } from './types';

const scatterRows = defineOp<ScatterRowsInputs, GatherRowsAttributes>({
  name: 'QScatterRows',
  compose: composeScatterRows,
});

export const gatherRowsGradient: OpGradient<GatherRowsInputs, GatherRowsAttributes> = {
  saveInputs: ['rows'],
  backward: ([dy], [rows], attributes) => ({ x: () => scatterRows({ dy: dy!, rows: rows! }, attributes)[0]! }),
};
