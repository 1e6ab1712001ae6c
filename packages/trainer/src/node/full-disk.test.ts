import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openDevice, type Device } from '@qlora-js/kernels';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { TrainerError } from '../errors';
import { bitsOf, tinyRun, tinyTrainer } from '../testing/runs';
import { folderCheckpoints } from './folder-checkpoints';

/** Fails as a full disk or a read-only one does, from the occurrence of a point on. */
function failing(code: 'ENOSPC' | 'EROFS', from: number): { at: (point: string) => void } {
  let saves = 0;
  return {
    at: (point) => {
      if (point === 'staged') saves++;
      if (saves >= from && point === 'training_state.safetensors half') {
        throw Object.assign(new Error(code), { code });
      }
    },
  };
}

describe('a disk that takes no more', () => {
  let device: Device;
  let folder: string;
  let rescueDir: string;
  beforeAll(async () => {
    device = await openDevice({ backend: 'wasm' });
  });
  afterAll(() => device.dispose());
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'qlora-full-'));
    rescueDir = await mkdtemp(join(tmpdir(), 'qlora-elsewhere-'));
  });
  afterEach(async () => {
    for (const path of [folder, rescueDir]) await rm(path, { recursive: true, force: true });
  });

  it.each([
    ['ENOSPC', 'the disk is full', 1, 'There is no checkpoint before it'],
    ['ENOSPC', 'the disk is full', 2, 'The last good one is .*checkpoint-2'],
    ['EROFS', 'the file system is read-only', 3, 'The last good one is .*checkpoint-4'],
  ] as const)(
    'ends the run with a clear error: %s (%s) at save %d; the weights are elsewhere, the checkpoints as they were',
    async (code, words, save, last) => {
      const whole = await tinyRun({ args: { outputDir: folder } });
      const checkpoints = folderCheckpoints(folder, { rescueDir, ...failing(code, save) });
      const { trainer, model } = tinyTrainer({ args: { outputDir: folder }, checkpoints });
      const error: unknown = await trainer.train().catch((thrown: unknown) => thrown);
      if (!TrainerError.isInstance(error)) throw new Error(`train ended with ${String(error)}`);
      const failed = join(folder, `checkpoint-${2 * save}`);
      expect(error.code).toBe('UNWRITABLE');
      expect(error.message).toMatch(new RegExp(`^${failed} could not be written: .*${words} \\(${code}\\)\\. ${last}`));
      expect(error.message).toContain('make room and go on from there with resumeFromCheckpoint');
      expect((await readdir(folder)).sort()).toEqual(
        Array.from({ length: save - 1 }, (_, i) => `checkpoint-${2 * (i + 1)}`),
      );
      const [, rescued] = /It was written to (\S+) instead/.exec(error.message) ?? [];
      expect(rescued).toBeDefined();
      // What was rescued is a checkpoint like any other, as good as the one that could not be written.
      const again = await tinyRun({
        args: { outputDir: folder },
        checkpoints: folderCheckpoints(folder),
        train: { resumeFromCheckpoint: rescued! },
      });
      expect(again.bits).toBe(whole.bits);
      model.dispose();
    },
  );

  it('leaves the weights in the model where nothing can be written anywhere', async () => {
    const checkpoints = folderCheckpoints(folder, { rescueDir: join(folder, 'none'), ...failing('ENOSPC', 3) });
    const { trainer, model } = tinyTrainer({ args: { outputDir: folder, loadBestModelAtEnd: false }, checkpoints });
    await expect(trainer.train()).rejects.toThrow(
      /Nor could it be written elsewhere .*its weights are in the model in memory/,
    );
    const whole = await tinyRun({ args: { loadBestModelAtEnd: false } });
    expect(await bitsOf(model)).toBe(whole.bits);
    model.dispose();
  });

  it('says where a failed run can be gone on from', async () => {
    const lines: string[] = [];
    const { trainer } = tinyTrainer({
      args: { outputDir: folder },
      checkpoints: folderCheckpoints(folder),
      log: (line) => void lines.push(line),
      resumeBy: 'qlora train --resume',
      callbacks: [
        {
          onStepEnd: ({ state }) => {
            if (state.globalStep === 5) throw new RangeError('mine');
          },
        },
      ],
    });
    await expect(trainer.train()).rejects.toThrow('mine');
    expect(lines).toEqual([
      `The training failed at step 5. ${join(folder, 'checkpoint-4')} is the last checkpoint: go on from it with qlora train --resume`,
    ]);
  });
});
