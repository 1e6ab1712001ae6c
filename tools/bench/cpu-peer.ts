import { spawn, spawnSync } from 'node:child_process';
import { createInterface } from 'node:readline';

const MODULES = 'import torch, transformers, peft, bitsandbytes';

/** A Python process that runs training steps on the CPU when it is asked to. */
export interface CpuPeer {
  readonly versions: string;
  readonly threads: number;
  /** Milliseconds a step. */
  readonly run: (steps: number) => Promise<number>;
  end(): void;
}

/**
 * Starts tools/python/cpu_step.py on a base's folder; undefined, having said why, where Python lacks what it needs.
 * QLORA_PYTHON names a Python to use instead of `python3`.
 */
export async function startCpuPeer(base: string, batchSize: number, length: number): Promise<CpuPeer | undefined> {
  const python = process.env['QLORA_PYTHON'] ?? 'python3';
  const probe = spawnSync(python, ['-c', MODULES], { encoding: 'utf8' });
  if (probe.status !== 0) {
    const reason = probe.stderr?.trim().split('\n').at(-1);
    console.log(`No Python stack: ${reason ?? `${python} could not be started`}`);
    return undefined;
  }
  const script = spawn(python, ['tools/python/cpu_step.py', base, String(batchSize), String(length)], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const lines = createInterface({ input: script.stdout })[Symbol.asyncIterator]();
  const next = async (): Promise<string> => {
    const answer = await lines.next();
    if (answer.done === true) throw new Error('tools/python/cpu_step.py ended before it answered');
    return answer.value;
  };
  const { versions, threads } = JSON.parse(await next()) as { versions: string; threads: number };
  return {
    versions,
    threads,
    run: async (steps) => {
      script.stdin.write(`${steps}\n`);
      return Number(await next());
    },
    end: () => script.stdin.end(),
  };
}
