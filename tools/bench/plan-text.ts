// Writes down what recorded steps of GPT-2 medium's shape ask of a GPU: each dispatch with its shader, workgroups and
// bindings, the words of its uniforms, and every shader's text; says how many there are and what memory they take. Two
// versions that give the same files run the same. Dawn compiles every text without a GPU: a shader that it refuses is a failure.
// usage: npx tsx --conditions=@qlora-js/source tools/bench/plan-text.ts FOLDER [real | matrices | plain] [--small]
//   real      the GPU at hand; matrices, plain: none is needed, one with or without subgroup matrices is imitated
//   QLORA_DAWN_NODE names Dawn's addon where the package webgpu is not installed
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { INFERENCE, openDevice, plan, type PlanMemory } from '@qlora-js/kernels';
import type { TokenBatch } from '@qlora-js/gpt2';
import { GPT2_MEDIUM, randomModel } from './gpt2-medium';
import { refusedShaders } from './refused-shaders';
import { TrainingStep } from './training-step';
import { watchedGpu, type SeenCopy, type SeenDispatch } from './watched-gpu';

const words = process.argv.slice(2).filter((word) => !word.startsWith('--'));
const small = process.argv.includes('--small');
const [folder, kind = 'matrices'] = words;
if (folder === undefined || !['real', 'matrices', 'plain'].includes(kind)) {
  throw new Error('usage: plan-text.ts FOLDER [real | matrices | plain] [--small]');
}
mkdirSync(join(folder, 'shaders'), { recursive: true });
const { gpu, watch } = watchedGpu(kind as 'real' | 'matrices' | 'plain', process.env['QLORA_DAWN_NODE']);
const device = await openDevice({ backend: 'webgpu', gpu });
const size = small ? { layers: 2, width: 128, heads: 2, vocabulary: 50_257 } : GPT2_MEDIUM;
const model = randomModel(size);
const training = new TrainingStep(model);

function write(
  name: string,
  commands: readonly (SeenDispatch | SeenCopy)[],
  { peakBytes, persistentBytes }: PlanMemory,
): void {
  const lines = commands.map((command) => {
    if ('copy' in command) return `copy ${command.copy.join(' ')}`;
    const bindings = command.bindings.map(
      ({ binding, buffer, offset, bytes, content }) =>
        `${binding}:#${buffer}+${offset},${bytes}${content === undefined ? '' : `=${content}`}`,
    );
    return `${command.shader} ${command.workgroups.join('x')} ${bindings.join(' ')} ${command.label}`;
  });
  writeFileSync(join(folder!, `${name}.txt`), `${lines.join('\n')}\n`);
  console.log(name, commands.length, 'commands', ((peakBytes + persistentBytes) / 2 ** 30).toFixed(3), 'GiB at most');
}

const shapes: readonly (readonly [number, number])[] = small
  ? [[2, 24]]
  : [
      [16, 24],
      [16, 128],
      [64, 128],
    ];
const ways = [
  { checkpointing: false, activationDtype: 'float32' },
  { checkpointing: false, activationDtype: 'float16' },
  { checkpointing: true, activationDtype: 'float32' },
] as const;
for (const [batchSize, length] of shapes) {
  const { tokens, inputs } = training.makeBatch(batchSize, length);
  const { labels: _labels, random: _random, randomAfter: _after, learningRate: _rate, ...read } = inputs;
  const zeros = (given: object) =>
    Object.fromEntries(
      Object.entries(given).map(([name, tensor]) => [name, new Int32Array((tensor as { size: number }).size)]),
    );
  for (const { checkpointing, activationDtype } of ways) {
    training.trainable.setGradientCheckpointing(checkpointing);
    training.trainable.setActivationDtype(activationDtype);
    const step = plan(device, training.run, inputs, { name: 'step' });
    watch.start();
    step.run(zeros(inputs));
    const way = checkpointing ? 'checkpointing' : activationDtype;
    write(`step-${batchSize}x${length}-${way}`, watch.stop(), step.memory);
    step.dispose();
  }
  training.trainable.setGradientCheckpointing(false);
  training.trainable.setActivationDtype('float32');
  const step = plan(device, (given) => model.base.forward({ ...tokens, ...given } as TokenBatch, INFERENCE), read);
  watch.start();
  step.run(zeros(read));
  write(`evaluation-${batchSize}x${length}`, watch.stop(), step.memory);
  step.dispose();
}
for (const [hash, { label, code }] of watch.shaders) {
  writeFileSync(join(folder, 'shaders', `${hash}.wgsl`), `// ${label}\n${code}\n`);
}
const refused = await refusedShaders([...watch.shaders.values()], process.env['QLORA_DAWN_NODE']);
console.log(watch.shaders.size, 'shaders,', refused.length, 'refused by Dawn');
for (const { label, reason } of refused) console.error(`${label}\n${reason}`);
process.exit(refused.length === 0 ? 0 : 1);
