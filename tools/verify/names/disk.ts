import { mkdirSync, mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openDevice } from '@qlora-js/kernels';
import { TrainerError } from '@qlora-js/trainer';
import { folderCheckpoints } from '@qlora-js/trainer/node';
import { tinyRun, type TinyRun } from '../../../packages/trainer/src/testing/runs';
import { capture } from '../commands';
import type { Findings, Verification } from '../verification';

/** Saves of the tiny training, the last one being that of the final weights. */
const SAVES = 3;
const KIB = 1024;

/**
 * Trainings on a small tmpfs that fills up at each save, and on one that becomes read-only before each save: by mounts, since
 * root writes through mode bits. Needs root on Linux.
 */
export default {
  summary: 'a training on a full or read-only disk loses nothing that it has trained, by mounts; needs root',
  run: async ({ log }) => {
    const counts = { passed: 0, failed: 0 };
    const expect = (what: string, holds: boolean): void => {
      counts[holds ? 'passed' : 'failed']++;
      log(`${holds ? 'holds' : 'DOES NOT HOLD'}: ${what}`);
    };
    const scratch = mkdtempSync(join(tmpdir(), 'qlora-disk-'));
    const mounted = join(scratch, 'mounted');
    const rescueDir = join(scratch, 'elsewhere');
    for (const folder of [mounted, rescueDir]) mkdirSync(folder);
    const device = await openDevice({ backend: 'wasm' });
    const outputDir = join(mounted, 'run');
    const run = (more: TinyRun = {}): ReturnType<typeof tinyRun> =>
      tinyRun({ args: { outputDir }, checkpoints: folderCheckpoints(outputDir, { rescueDir }), ...more });
    try {
      const whole = await tinyRun({ args: { outputDir } });
      const plain = join(scratch, 'plain');
      await tinyRun({ args: { outputDir }, checkpoints: folderCheckpoints(plain) });
      const checkpointKiB = Math.max(...readdirSync(plain).map((name) => bytesOf(join(plain, name)))) / KIB;

      for (let save = 1; save <= SAVES; save++) {
        // Room for those before it and half of this one.
        mount(mounted, `size=${Math.ceil((save - 0.5) * checkpointKiB)}k`);
        const full = await caught(run());
        expect(`full at save ${save}: ${full.message}`, full.code === 'UNWRITABLE' && full.message.includes('ENOSPC'));
        expect('nothing half-written is left', same(readdirSync(outputDir), checkpointsBefore(save)));
        const rescued = await run({
          train: { resumeFromCheckpoint: rescuedBy(full) },
          checkpoints: folderCheckpoints(unusedFolder(scratch)),
        });
        expect('the rescued checkpoint goes on to the same bits', rescued.bits === whole.bits);
        capture('mount', ['-o', `remount,size=${Math.ceil((SAVES + 1) * checkpointKiB)}k`, mounted]);
        const roomier = await run({ train: { resumeFromCheckpoint: true } });
        expect('with room made, so does the run itself', roomier.bits === whole.bits);
        unmount(mounted);

        mount(mounted, `size=${Math.ceil((SAVES + 1) * checkpointKiB)}k`);
        const lock = {
          onStepBegin: ({ state }: { readonly state: { readonly globalStep: number } }) => {
            if (state.globalStep === 2 * save - 1) capture('mount', ['-o', 'remount,ro', mounted]);
          },
        };
        const locked = await caught(run({ callbacks: [lock] }));
        expect(
          `read-only at save ${save}: ${locked.message}`,
          locked.code === 'UNWRITABLE' && locked.message.includes('EROFS'),
        );
        const early = await caught(
          run({
            train: { resumeFromCheckpoint: true },
            callbacks: [
              {
                onStepBegin: () => {
                  throw new Error('a step was begun');
                },
              },
            ],
          }),
        );
        expect(`a start on it is refused before the first step: ${early.message}`, !early.message.includes('begun'));
        capture('mount', ['-o', 'remount,rw', mounted]);
        const again = await run({ train: { resumeFromCheckpoint: true } });
        expect('writable again, the run goes on to the same bits', again.bits === whole.bits);
        unmount(mounted);
      }
    } finally {
      device.dispose();
      if (isMounted(mounted)) unmount(mounted);
      rmSync(scratch, { recursive: true });
    }
    const figures = { saves: SAVES, cases: ['full', 'read-only'] };
    return { ...counts, versions: {}, figures } satisfies Findings;
  },
} satisfies Verification;

interface Caught {
  readonly code: string | undefined;
  readonly message: string;
}

async function caught(run: Promise<unknown>): Promise<Caught> {
  try {
    await run;
    return { code: undefined, message: 'no error' };
  } catch (error) {
    const code = TrainerError.isInstance(error) ? error.code : undefined;
    return { code, message: error instanceof Error ? error.message : String(error) };
  }
}

/** The place that an error says the checkpoint was written to instead. */
function rescuedBy({ message }: Caught): string {
  const [, place] = /It was written to (\S+) instead/.exec(message) ?? [];
  if (place === undefined) throw new Error(`no rescued checkpoint is named in: ${message}`);
  return place;
}

let others = 0;

/** A folder that no run has used. */
function unusedFolder(scratch: string): string {
  return join(scratch, `other-${others++}`);
}

function checkpointsBefore(save: number): string[] {
  return Array.from({ length: save - 1 }, (_, index) => `checkpoint-${2 * (index + 1)}`);
}

function same(seen: readonly string[], wanted: readonly string[]): boolean {
  return [...seen].sort().join() === [...wanted].sort().join();
}

/** Whole pages of the files in a folder, as tmpfs counts. */
function bytesOf(folder: string): number {
  return readdirSync(folder).reduce((sum, name) => sum + Math.ceil(statSync(join(folder, name)).size / 4096) * 4096, 0);
}

function mount(folder: string, options: string): void {
  capture('mount', ['-t', 'tmpfs', '-o', options, 'tmpfs', folder]);
}

function unmount(folder: string): void {
  capture('umount', [folder]);
}

function isMounted(folder: string): boolean {
  return capture('mount', []).includes(` on ${folder} `);
}
