import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { RESULTS, type PeerResults } from './results';

/** Folder of the script that runs the Python stack on a GPU, which the repository does not carry. */
const SCRIPTS = process.env['QLORA_PEER'];

const VERSIONS = `
import torch, transformers, peft, bitsandbytes
assert torch.cuda.is_available(), 'torch has no CUDA here'
print(torch.cuda.get_device_name(0))
print(f'torch {torch.__version__}, transformers {transformers.__version__}, peft {peft.__version__}, bitsandbytes {bitsandbytes.__version__}')
`;

/** Runs transformers, PEFT and bitsandbytes on the same steps and writes bench/results/peer.json */
export function measurePeer(): void {
  if (SCRIPTS === undefined) throw new Error('--peer needs QLORA_PEER: the folder that holds peer-qlora.py');
  const script = join(SCRIPTS, 'peer-qlora.py');
  if (!existsSync(script)) throw new Error(`QLORA_PEER is ${SCRIPTS}, which has no peer-qlora.py`);
  const probe = spawnSync('python3', ['-c', VERSIONS], { encoding: 'utf8' });
  if (probe.status !== 0) {
    throw new Error(`No Python stack: ${probe.stderr.trim().split('\n').at(-1) ?? 'python3 could not be started'}`);
  }
  const [machine = '', versions = ''] = probe.stdout.trim().split('\n').slice(-2);
  const { status, stdout } = spawnSync('python3', [script, 'medium', 'micro'], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  if (status !== 0) throw new Error(`${script} failed with status ${String(status)}`);
  mkdirSync(RESULTS, { recursive: true });
  writeFileSync(join(RESULTS, 'peer.json'), JSON.stringify({ machine, versions, ...parsePeer(stdout) }, undefined, 1));
}

/** The lines that peer-qlora.py prints for its mode `micro`. */
export function parsePeer(output: string): Pick<PeerResults, 'steps' | 'evaluations'> {
  const steps = [
    ...output.matchAll(/gc=(True|False) B=(\d+) T=(\d+) ([\d.]+) ms\/step [\d.]+ tok\/s peak ([\d.]+) GiB/g),
  ].map(([, checkpointing, batch, length, ms, peak]) => ({
    shape: `${batch}x${length}`,
    checkpointing: checkpointing === 'True',
    ms: Number(ms),
    peakGiB: Number(peak),
  }));
  const evaluations = [...output.matchAll(/eval B=(\d+) T=(\d+) ([\d.]+) ms ([\d.]+) tok\/s/g)].map(
    ([, batch, length, ms, rate]) => ({ shape: `${batch}x${length}`, ms: Number(ms), tokensPerSecond: Number(rate) }),
  );
  return { steps, evaluations };
}
