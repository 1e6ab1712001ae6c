import type { CheckpointStore } from '@qlora-js/trainer';
import { fileIn, filesIn, folderIn, namesIn, ownFolder, remove, writeFile } from './opfs';
import { opfsCheckpoints } from './opfs-checkpoints';
import type { RunSpec, SavedRun, Slot } from './protocol';

const SPEC = 'spec.json';
const DATA = 'data';
const BASE = 'base';
const CHECKPOINTS = 'checkpoints';

/** What a run keeps in the browser: its spec, its files, its checkpoints. */
export class RunStorage {
  private constructor(private readonly folder: FileSystemDirectoryHandle) {}

  /** Undefined where the browser keeps no files for pages. */
  static async open(slot: Slot): Promise<RunStorage | undefined> {
    const folder = await ownFolder(`run-${slot}`);
    return folder && new RunStorage(folder);
  }

  /** Removes what was there and keeps all that going on with this run takes. */
  async begin(spec: RunSpec): Promise<void> {
    await this.forget();
    const { data, base } = spec;
    if (data.kind === 'files') await this.keep(DATA, data.files);
    if (base.kind === 'files') await this.keep(BASE, base.files);
    // Last: a spec without its files could not be gone on with.
    await writeFile(this.folder, SPEC, JSON.stringify(withoutFiles(spec)));
  }

  async checkpoints(onSaved: (name: string) => void): Promise<CheckpointStore> {
    return opfsCheckpoints(await this.folder.getDirectoryHandle(CHECKPOINTS, { create: true }), onSaved);
  }

  /** The run that lies here, where it has got as far as a checkpoint. */
  async saved(): Promise<SavedRun | undefined> {
    const text = await (await fileIn(this.folder, SPEC))?.text();
    const checkpoints = await folderIn(this.folder, CHECKPOINTS);
    if (text === undefined || checkpoints === undefined) return undefined;
    const steps = (await opfsCheckpoints(checkpoints).list()).map((name) => Number(name.replace('checkpoint-', '')));
    if (steps.length === 0) return undefined;
    // Written by this page, into a folder that nobody else writes to.
    const spec = JSON.parse(text) as RunSpec;
    return { spec: await this.withFiles(spec), step: Math.max(...steps) };
  }

  async forget(): Promise<void> {
    for (const kind of ['file', 'directory'] as const) {
      for (const name of await namesIn(this.folder, kind)) await remove(this.folder, name);
    }
  }

  private async keep(name: string, files: Readonly<Record<string, Blob>>): Promise<void> {
    const folder = await this.folder.getDirectoryHandle(name, { create: true });
    for (const [path, blob] of Object.entries(files)) {
      await writeFile(folder, encodeURIComponent(path), new Uint8Array(await blob.arrayBuffer()));
    }
  }

  private async withFiles(spec: RunSpec): Promise<RunSpec> {
    const read = async (name: string): Promise<Record<string, Blob>> => {
      const folder = await folderIn(this.folder, name);
      const files = Object.entries(folder === undefined ? {} : await filesIn(folder));
      return Object.fromEntries(files.map(([path, file]) => [decodeURIComponent(path), file]));
    };
    const { data, base } = spec;
    return {
      ...spec,
      data: data.kind === 'files' ? { ...data, files: await read(DATA) } : data,
      base: base.kind === 'files' ? { ...base, files: await read(BASE) } : base,
    };
  }
}

function withoutFiles(spec: RunSpec): RunSpec {
  const { data, base } = spec;
  return {
    ...spec,
    data: data.kind === 'files' ? { ...data, files: {} } : data,
    base: base.kind === 'files' ? { ...base, files: {} } : base,
  };
}
