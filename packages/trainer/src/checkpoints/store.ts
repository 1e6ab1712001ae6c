import { memoryFiles, type ReadableFiles } from '@qlora-js/hub';
import { TrainerError } from '../errors';

/** Files of a checkpoint by name. */
export type CheckpointFiles = Readonly<Record<string, Uint8Array | string>>;

/** Where checkpoints go; `folderCheckpoints` of @qlora-js/trainer/node writes them to disk. */
export interface CheckpointStore {
  /** Where a checkpoint of that name lies, in words for people. */
  locate(name: string): string;
  /**
   * Called before the first step: throws where nothing could be saved later, and tidies up what a killed process has left.
   *
   * @returns a line for each thing that was tidied up
   */
  prepare(): Promise<readonly string[]>;
  /** Names of the checkpoints there are, in any order. */
  list(): Promise<readonly string[]>;
  /** Writes a whole checkpoint in place of one of that name, or nothing. The files stay as they are until it is done. */
  save(name: string, files: CheckpointFiles): Promise<void>;
  /** @param name one of `list`; a store on disk also takes a path */
  open(name: string): Promise<ReadableFiles>;
  /** Removes a checkpoint whole. */
  remove(name: string): Promise<void>;
  /** A place of last resort for what `save` could not write; returns where that is. */
  rescue?(name: string, files: CheckpointFiles): Promise<string>;
}

/** Checkpoints in memory, for browsers and tests; a second trainer goes on from them when it is given the same object. */
export class MemoryCheckpoints implements CheckpointStore {
  /** Files by checkpoint and name. */
  readonly saved = new Map<string, Map<string, Uint8Array>>();

  locate(name: string): string {
    return `${name} in memory`;
  }

  async prepare(): Promise<readonly string[]> {
    return [];
  }

  async list(): Promise<readonly string[]> {
    return [...this.saved.keys()];
  }

  async save(name: string, files: CheckpointFiles): Promise<void> {
    const encoder = new TextEncoder();
    const entries = Object.entries(files).map(([path, content]): [string, Uint8Array] => [
      path,
      typeof content === 'string' ? encoder.encode(content) : content.slice(),
    ]);
    this.saved.set(name, new Map(entries));
  }

  async open(name: string): Promise<ReadableFiles> {
    const files = this.saved.get(name);
    if (files === undefined) {
      throw new TrainerError('BAD_CHECKPOINT', `there is no checkpoint '${name}' in memory`, { value: name });
    }
    return memoryFiles(name, Object.fromEntries(files));
  }

  async remove(name: string): Promise<void> {
    this.saved.delete(name);
  }
}
