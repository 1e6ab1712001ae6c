import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { openDevice } from '@qlora-js/kernels';
import { compareTraining } from '../../bench/compare-training';
import { capture, execute } from '../commands';
import { installPython } from '../install';
import type { Findings, Verification, VerifyContext } from '../verification';

type Counts = Pick<Findings, 'passed' | 'failed'>;

const PACKAGES = ['torch', 'transformers', 'peft', 'bitsandbytes', 'optuna', 'scikit-learn', 'tokenizers', 'gguf'];
const VERSIONS = `
import json, platform, sys
from importlib import metadata
print(json.dumps({"python": platform.python_version(), **{name: metadata.version(name) for name in sys.argv[1:]}}))
`;

/** Arguments: SEED of the golden values that are recorded, 7 by default. */
export default {
  summary: "Python's transformers, PEFT, bitsandbytes and Optuna read what is written here, and compute the same",
  run: async (context) => {
    const { root, cache, log, args } = context;
    const seed = args[0] ?? '7';
    const requirements = join(root, 'tools/python/requirements.txt');
    log(`installing ${requirements}`);
    const python = installPython(cache, requirements);
    const script = (name: string, ...words: string[]): Counts =>
      counted(context, python, [join(root, 'tools/verify/python', name), ...words]);

    const dense = join(cache, 'base-mini-dense');
    execute(python, [join(root, 'tools/verify/python/dense_base.py'), dense]);
    const checks: Record<string, Counts> = {
      'weights in 4 bits': script('check_quant.py', seed),
      adapters: script('check_adapter.py', dense),
      'merged and exported models': script('check_exports.py'),
      studies: script('check_study.py'),
      'trainer_state.json': script('check_trainer_state.py'),
      tokenizer: tokenizer(context, python, seed),
      'golden values of another seed': goldenTests(context, python, seed),
    };
    const steps = await embeddedBaseSteps(context, python, seed);
    checks['training steps of the embedded base'] = steps;
    const sum = (key: keyof Counts): number => Object.values(checks).reduce((total, counts) => total + counts[key], 0);
    return {
      passed: sum('passed'),
      failed: sum('failed'),
      versions: JSON.parse(capture(python, ['-c', VERSIONS, ...PACKAGES])) as Record<string, string>,
      figures: { seed: Number(seed), checks },
    };
  },
} satisfies Verification;

/** Runs what prints `N passed, N failed` as its last line, and shows what it prints. */
function counted({ root, log }: VerifyContext, program: string, args: readonly string[]): Counts {
  const printed = capture(program, args, { cwd: root, statuses: [0, 1] });
  log(printed);
  const line = /^(\d+) passed, (\d+) failed$/.exec(printed.split('\n').at(-1) ?? '');
  if (line === null) throw new Error(`${args[0]} did not end with its counts`);
  return { passed: Number(line[1]), failed: Number(line[2]) };
}

function tokenizer(context: VerifyContext, python: string, seed: string): Counts {
  const script = join(context.root, 'tools/verify/python/check-tokenizer.ts');
  const base = join(context.root, 'packages/base-mini/weights');
  return counted(context, process.execPath, [...process.execArgv, script, python, base, '2000', seed]);
}

/** Records all golden values with another seed, and runs every test that reads some against them. */
function goldenTests({ root, cache, log }: VerifyContext, python: string, seed: string): Counts {
  const folder = join(cache, `golden-${seed}`);
  const record = join(root, 'tools/python/golden/record.py');
  execute(python, [record, '--seed', seed, '--out', folder], { cwd: root });
  const counts = { passed: 0, failed: 0 };
  for (const name of readdirSync(join(root, 'packages'))) {
    const report = join(cache, 'vitest.json');
    // Vitest finds the tests that import the file, however far.
    const vitest = [
      join(root, 'node_modules/vitest/vitest.mjs'),
      'related',
      '--run',
      join(root, 'tools/test/golden.ts'),
    ];
    const flags = ['--passWithNoTests', '--reporter=json', `--outputFile=${report}`];
    execute(process.execPath, [join(root, 'tools/gpu/run.mjs'), process.execPath, ...vitest, ...flags], {
      cwd: join(root, 'packages', name),
      env: { QLORA_FIXTURES: folder, CI: 'true' },
      statuses: [0, 1],
    });
    const { numPassedTests, numFailedTests, testResults } = JSON.parse(readFileSync(report, 'utf8')) as VitestReport;
    if (testResults.length === 0) continue;
    // A file that breaks before its first test counts as one failure.
    const broken = testResults.filter((file) => file.status === 'failed' && file.assertionResults.length === 0).length;
    for (const { name: path, status, message } of testResults) if (status === 'failed') log(`${path}: ${message}`);
    log(`packages/${name}: ${numPassedTests} passed, ${numFailedTests + broken} failed`);
    counts.passed += numPassedTests;
    counts.failed += numFailedTests + broken;
  }
  return counts;
}

interface VitestReport {
  readonly numPassedTests: number;
  readonly numFailedTests: number;
  readonly testResults: readonly {
    readonly name: string;
    readonly status: string;
    readonly message: string;
    readonly assertionResults: readonly unknown[];
  }[];
}

/** The embedded base's own steps: recorded in Python, done here on wasm in float32. */
async function embeddedBaseSteps(
  { root, cache, log }: VerifyContext,
  python: string,
  seed: string,
): Promise<Counts & { readonly differences: Record<string, { loss: number; gradNorm: number }> }> {
  const folder = join(cache, `embedded-base-${seed}`);
  const base = join(root, 'packages/base-mini/weights');
  const record = join(root, 'tools/python/golden/record.py');
  execute(python, [record, '--seed', seed, '--only', 'training', '--base', base, '--out', folder], { cwd: root });
  const device = await openDevice({ backend: 'wasm' });
  const compared = await compareTraining(join(folder, 'training'));
  device.dispose();
  const differences = Object.fromEntries(
    Object.entries(compared).map(([name, { largestLossDifference, largestRelativeNormDifference }]) => [
      name,
      { loss: largestLossDifference, gradNorm: largestRelativeNormDifference },
    ]),
  );
  log(`embedded base: ${JSON.stringify(differences)}`);
  const holds = Object.values(differences).map(({ loss, gradNorm }) => loss < 1e-3 && gradNorm < 5e-3);
  return { passed: holds.filter(Boolean).length, failed: holds.filter((held) => !held).length, differences };
}
