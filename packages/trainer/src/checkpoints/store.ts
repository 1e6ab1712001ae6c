import type { SavedFiles } from '../model/trainable-model';

/** Where checkpoints go; `folderCheckpoints` of @qlora-js/trainer/node writes them to disk. */
export interface CheckpointStore {
  /** Writes a whole checkpoint or nothing; returns what to call it in logs. */
  save(name: string, files: Readonly<Record<string, Uint8Array | string>>): Promise<string>;
  open(name: string): Promise<SavedFiles>;
  remove(name: string): Promise<void>;
  /** Throws before any work is lost where nothing could be saved later. */
  check(): Promise<void>;
}

/** Checkpoints in memory, for browsers and tests. */
export class MemoryCheckpoints implements CheckpointStore {
  readonly saved = new Map<string, Map<string, Uint8Array>>();

  save(name: string, files: Readonly<Record<string, Uint8Array | string>>): Promise<string> {
    const encoder = new TextEncoder();
    const entries = Object.entries(files).map(([path, content]): [string, Uint8Array] => [
      path,
      typeof content === 'string' ? encoder.encode(content) : content.slice(),
    ]);
    this.saved.set(name, new Map(entries));
    return Promise.resolve(name);
  }

  open(name: string): Promise<SavedFiles> {
    const files = this.saved.get(name);
    if (files === undefined) return Promise.reject(new Error(`there is no checkpoint '${name}'`));
    const bytes = (path: string): Uint8Array => {
      const content = files.get(path);
      if (content === undefined) throw new Error(`checkpoint '${name}' has no file '${path}'`);
      return content;
    };
    return Promise.resolve({
      id: name,
      has: (path: string) => Promise.resolve(files.has(path)),
      text: (path: string) => Promise.resolve(new TextDecoder().decode(bytes(path))),
      open: (path: string) => {
        const content = bytes(path);
        return Promise.resolve({
          size: content.length,
          read: (offset: number, length: number) => Promise.resolve(content.slice(offset, offset + length)),
        });
      },
    });
  }

  remove(name: string): Promise<void> {
    this.saved.delete(name);
    return Promise.resolve();
  }

  check(): Promise<void> {
    return Promise.resolve();
  }
}
