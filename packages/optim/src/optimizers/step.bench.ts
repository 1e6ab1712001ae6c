// One optimiser step over the trained tensors of a LoRA run: clipping, then the update. Nothing is read back within.
// usage: npx tsx --conditions=@qlora-js/source packages/optim/src/optimizers/step.bench.ts [webgpu|wasm|cpu] [small|medium]
import { openDevice, type Device } from '@qlora-js/kernels';
import { dispose, randomNormal, variable } from '@tensorflow/tfjs-core';
import { clipGradients, createOptimizer, type NamedVariable } from '../index';

/** Width and layers of the small base (37 tensors, 290,048 parameters) and of GPT-2 medium (145, 4,404,224). */
const BASES = { small: [256, 6], medium: [1024, 24] } as const;
const RANK = 16;
const LABELS = 77;
const STEPS = 60;

function loraParameters([width, layers]: readonly [number, number]): NamedVariable[] {
  const shapes: [string, [number, number]][] = [['score', [LABELS, width]]];
  for (let layer = 0; layer < layers; layer++) {
    for (const [name, inputs, outputs] of [
      ['c_attn', width, 3 * width],
      ['attn.c_proj', width, width],
      ['mlp.c_proj', 4 * width, width],
    ] as const) {
      shapes.push([`h.${layer}.${name}.lora_A`, [RANK, inputs]], [`h.${layer}.${name}.lora_B`, [outputs, RANK]]);
    }
  }
  return shapes.map(([name, shape]) => ({ name, variable: variable(randomNormal(shape, 0, 0.1)) }));
}

async function timeSteps(run: () => Promise<void>, device: Device): Promise<{ median: number; least: number }> {
  const times: number[] = [];
  for (let step = 0; step < STEPS; step++) {
    const started = performance.now();
    await run();
    await device.synchronize();
    times.push(performance.now() - started);
  }
  times.sort((a, b) => a - b);
  return { median: times[STEPS / 2]!, least: times[0]! };
}

const [backend = 'wasm', base = 'small'] = process.argv.slice(2) as ['webgpu' | 'wasm' | 'cpu', keyof typeof BASES];
const device = await openDevice({ backend });
const parameters = loraParameters(BASES[base]);
const gradients = new Map(parameters.map(({ name, variable: { shape } }) => [name, randomNormal(shape, 0, 1e-3)]));
const count = parameters.reduce((sum, { variable: { size } }) => sum + size, 0);
console.log(
  `${backend}: ${parameters.length} tensors, ${count} parameters; milliseconds a step, median (least) of ${STEPS}`,
);
const print = (what: string, { median, least }: { median: number; least: number }): void =>
  console.log(`${what.padEnd(44)} ${median.toFixed(2)} (${least.toFixed(2)})`);

const clip = await timeSteps(async () => {
  const { norm, control } = clipGradients(gradients, { maxNorm: 1 });
  dispose([norm, control]);
}, device);
print('clipGradients', clip);

for (const [name, options] of [
  ['adamw_torch', {}],
  ['adamw_8bit', {}],
  ['adamw_8bit', { arithmetic: 'cpu' }],
  ['paged_adamw_8bit', {}],
  ['paged_adamw_8bit', { pagingThreshold: 10_000, deviceMemoryBudget: 0 }],
] as const) {
  const optimizer = createOptimizer(name, [{ parameters, weightDecay: 0.01 }], options);
  const times = await timeSteps(() => optimizer.step(gradients, { learningRate: 1e-4 }), device);
  const { deviceBytes, hostBytes, pageIns } = optimizer.memory();
  print(`${name} ${JSON.stringify(options)}`, times);
  console.log(`  states: ${deviceBytes} bytes on the device, ${hostBytes} on the host; ${pageIns} times paged in`);
  optimizer.dispose();
}
device.dispose();
