import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { writeFileAtomic } from '@qlora-js/hub/node';
import { UsageError } from '../errors';
import { engineName, type Launcher, type WorkerJobs, type WorkerState } from './launcher';
import { runTool } from './run-tool';

/** The script of an array job, one task a worker. */
export function slurmScript({ study, workers, cpus, gpus, command }: WorkerJobs, folder: string): string {
  return [
    '#!/bin/bash',
    `#SBATCH --job-name=${engineName(study)}`,
    `#SBATCH --array=1-${workers}`,
    '#SBATCH --ntasks=1',
    `#SBATCH --cpus-per-task=${cpus}`,
    ...(gpus === 0 ? [] : [`#SBATCH --gres=gpu:${gpus}`]),
    `#SBATCH --output=${join(folder, 'worker-%a.log')}`,
    '#SBATCH --open-mode=append',
    // A node that fails, or makes room for others, gives its worker to another node.
    '#SBATCH --requeue',
    `exec ${command('$SLURM_ARRAY_TASK_ID')}`,
    '',
  ].join('\n');
}

/** Workers as the tasks of a Slurm array, by sbatch, squeue and scancel. Logs are files in the output folder. */
export class SlurmLauncher implements Launcher {
  /** @param folder where script and logs go, seen by all nodes */
  constructor(private readonly folder: string) {}

  async start(jobs: WorkerJobs): Promise<readonly string[]> {
    // sbatch splits #SBATCH lines as a shell does, comments too, and fills in %a and the like.
    if (/[\s%#']/.test(this.folder))
      throw new UsageError('USAGE', `--output-dir ${this.folder} must not hold white space, %, # or ' for slurm`, {
        value: this.folder,
      });
    await mkdir(this.folder, { recursive: true });
    const file = join(this.folder, 'search.sbatch');
    await writeFileAtomic(file, slurmScript(jobs, this.folder));
    // JOB, or JOB;CLUSTER where there are several.
    const [job] = (await runTool('sbatch', ['--parsable', file])).split(';');
    return [job!];
  }

  async list(study: string): Promise<readonly WorkerState[]> {
    const printed = await runTool('squeue', [
      '--me',
      '--array',
      '--noheader',
      `--name=${engineName(study)}`,
      '--format=%i %T',
    ]);
    return printed
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => {
        const [id, state] = line.trim().split(/\s+/) as [string, string];
        return { id, state };
      });
  }

  async stop(study: string): Promise<readonly string[]> {
    const ids = (await this.list(study)).map(({ id }) => id);
    if (ids.length > 0) await runTool('scancel', ids);
    return ids;
  }
}
