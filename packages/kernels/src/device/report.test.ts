import { availableParallelism } from 'node:os';
import { expect, it } from 'vitest';
import { openDevice } from './open-device';
import { describeRuntime } from './runtime';

it('describes Node, the machine and its cores', () => {
  const cores = availableParallelism();
  expect(describeRuntime()).toBe(
    `Node.js ${process.version} on ${process.platform} ${process.arch}, ${cores} ${cores === 1 ? 'core' : 'cores'}`,
  );
});

it('reports what a run can be described by, a line each', async () => {
  const device = await openDevice({ backend: 'cpu' });
  const lines = device.report().split('\n');
  expect(lines[0]).toBe(`runtime        ${describeRuntime()}`);
  expect(lines.map((line) => line.slice(0, 14).trim())).toEqual([
    'runtime',
    'backend',
    'adapter',
    'driver',
    'compute dtype',
    'features',
    'limits',
    'memory',
  ]);
  expect(lines.at(-1)).toBe('memory         0.0 MiB in use, peak 0.0 MiB, 0.0 MiB held; 0 tensors');
  device.dispose();
});
