import { DataError } from '../errors';
import { blobSource, bytesSource, type ByteSource } from './byte-source';

/** The files of a data set, wherever they lie: a folder, a repository of the hub, a page's uploads, memory. */
export interface DataFiles {
  /** What reports and errors call the set. */
  readonly id: string;
  /** Paths of all files, relative, with `/`, sorted. */
  list(): Promise<readonly string[]>;
  /** @throws DataError `MISSING_FILE` */
  open(path: string): Promise<ByteSource>;
}

/** Files in memory: what a page's visitor has chosen, what a test makes up. */
export function memoryDataFiles(id: string, files: Readonly<Record<string, Blob | Uint8Array | string>>): DataFiles {
  const contents = new Map(Object.entries(files));
  return {
    id,
    list: async () => [...contents.keys()].sort(),
    open: async (path) => {
      const content = contents.get(path);
      if (content === undefined) throw new DataError('MISSING_FILE', `${id} has no file ${path}`, path);
      return content instanceof Blob ? blobSource(content, path) : bytesSource(content, path);
    },
  };
}

/** One file as a data set. */
export function singleFile(source: ByteSource): DataFiles {
  return {
    id: source.name,
    list: async () => [source.name],
    open: async (path) => {
      if (path !== source.name) throw new DataError('MISSING_FILE', `there is ${source.name} alone, no ${path}`, path);
      return source;
    },
  };
}
