import { defineOp, type OpGradient } from '../../engine/op';
import { composeScatterRows } from './compose';
import type { GatherRowsAttributes, GatherRowsInputs, ScatterRowsInputs } from './types';
import { webgpuScatterRows } from './webgpu';

const scatterRows = defineOp<ScatterRowsInputs, GatherRowsAttributes>({
  name: 'QScatterRows',
  compose: composeScatterRows,
  webgpu: webgpuScatterRows,
});

export const gatherRowsGradient: OpGradient<GatherRowsInputs, GatherRowsAttributes> = {
  saves: { inputs: ['rows'] },
  backward: ({ dy, inputs: { rows }, attributes }) => ({ x: () => scatterRows({ dy, rows }, attributes) }),
};
