import type { Adamw8bitArithmetic } from '@qlora-js/kernels';
import { OptimError } from '../errors';
import type { ParameterGroup } from '../groups/groups';
import { adamw32bit } from '../rules/adamw32bit';
import { adamw8bit } from '../rules/adamw8bit';
import { AdamW } from './adamw';
import { OPTIMIZER_NAMES, type Optimizer, type OptimizerName } from './optimizer';

export interface OptimizerOptions {
  /** Default 0.9 and 0.999. */
  readonly betas?: readonly [number, number];
  /** Default 1e-8. */
  readonly epsilon?: number;
  /** For groups that say nothing else; default 0, as transformers' weight_decay. */
  readonly weightDecay?: number;
  /** Parameters with fewer elements keep float32 moments under an 8-bit optimiser; default 4096, as bitsandbytes. */
  readonly min8bitSize?: number;
  /** Whose 8-bit steps are taken, those of bitsandbytes on CUDA or on a CPU; default 'cuda', see the README. */
  readonly arithmetic?: Adamw8bitArithmetic;
  /** Paged optimisers: from how many elements on a parameter's states may leave the device; default 100,000. */
  readonly pagingThreshold?: number;
  /** Paged optimisers: bytes that such states may take on the device together; default: all they need. */
  readonly deviceMemoryBudget?: number;
}

/**
 * An optimiser by transformers' name (trainer_optimizer.py; bitsandbytes optim/adamw.py).
 *
 * @throws OptimError BAD_ARGUMENT
 */
export function createOptimizer(
  name: OptimizerName,
  groups: readonly ParameterGroup[],
  options: OptimizerOptions = {},
): Optimizer {
  if (!OPTIMIZER_NAMES.includes(name)) {
    throw new OptimError(
      'BAD_ARGUMENT',
      `optimiser '${String(name)}' is unknown; there are ${OPTIMIZER_NAMES.join(', ')}`,
    );
  }
  const {
    betas = [0.9, 0.999],
    epsilon = 1e-8,
    weightDecay = 0,
    min8bitSize = 4096,
    arithmetic = 'cuda',
    pagingThreshold = 100_000,
    deviceMemoryBudget = Infinity,
  } = options;
  checkBetas(betas);
  if (arithmetic !== 'cuda' && arithmetic !== 'cpu') {
    throw new OptimError('BAD_ARGUMENT', `arithmetic is ${JSON.stringify(arithmetic)}, but 'cuda' or 'cpu' is needed`, {
      value: arithmetic,
    });
  }
  checkNumbers({ epsilon, weightDecay, min8bitSize, pagingThreshold, deviceMemoryBudget });
  checkGroups(groups);
  const eightBit = name.includes('8bit') ? adamw8bit(arithmetic) : undefined;
  return new AdamW({
    name,
    groups,
    // bitsandbytes' CUDA kernel takes 1 - beta in float32, where 1 - 0.999 is 1.3e-5 off; its CPU path and torch do not.
    betas: eightBit !== undefined && arithmetic === 'cuda' ? [Math.fround(betas[0]), Math.fround(betas[1])] : betas,
    epsilon,
    weightDecay,
    ruleFor: ({ size }) => (eightBit === undefined || size < min8bitSize ? adamw32bit : eightBit),
    ...(name.startsWith('paged') ? { paging: { threshold: pagingThreshold, budget: deviceMemoryBudget } } : {}),
  });
}

function checkBetas(betas: readonly number[]): void {
  if (betas.length !== 2 || !betas.every((beta) => beta >= 0 && beta < 1)) {
    throw new OptimError('BAD_ARGUMENT', `betas are ${betas.join(', ')}, but two numbers in [0, 1) are needed`);
  }
}

function checkNumbers(numbers: Record<string, number>): void {
  for (const [name, value] of Object.entries(numbers)) {
    if (!(value >= 0)) throw new OptimError('BAD_ARGUMENT', `${name} ${value} is not a number of 0 or more`);
  }
}

function checkGroups(groups: readonly ParameterGroup[]): void {
  const names = new Set<string>();
  for (const { parameters, weightDecay = 0, learningRateScale = 1 } of groups) {
    for (const [option, value] of Object.entries({ weightDecay, learningRateScale })) {
      if (!(value >= 0 && Number.isFinite(value))) {
        throw new OptimError('BAD_ARGUMENT', `a group's ${option} ${value} is not a number of 0 or more`);
      }
    }
    for (const { name } of parameters) {
      if (names.has(name)) throw new OptimError('BAD_ARGUMENT', `parameter '${name}' is in the groups twice`);
      names.add(name);
    }
  }
}
