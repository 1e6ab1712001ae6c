/** The page's own folder, which no other site sees; undefined where the browser keeps none, as in some private windows. */
export async function ownFolder(name: string): Promise<FileSystemDirectoryHandle | undefined> {
  try {
    const root = await navigator.storage.getDirectory();
    return await root.getDirectoryHandle(name, { create: true });
  } catch {
    return undefined;
  }
}

/** Names of what lies in a folder. */
export async function namesIn(folder: FileSystemDirectoryHandle, kind: FileSystemHandle['kind']): Promise<string[]> {
  const names: string[] = [];
  for await (const handle of (folder as unknown as { values(): AsyncIterable<FileSystemHandle> }).values()) {
    if (handle.kind === kind) names.push(handle.name);
  }
  return names;
}

/** A folder in a folder, or undefined. */
export async function folderIn(
  folder: FileSystemDirectoryHandle,
  name: string,
): Promise<FileSystemDirectoryHandle | undefined> {
  try {
    return await folder.getDirectoryHandle(name);
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}

/** A file in a folder, or undefined. */
export async function fileIn(folder: FileSystemDirectoryHandle, name: string): Promise<File | undefined> {
  try {
    return await (await folder.getFileHandle(name)).getFile();
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}

/** The files of a folder by their names. */
export async function filesIn(folder: FileSystemDirectoryHandle): Promise<Record<string, File>> {
  const files: Record<string, File> = {};
  for (const name of await namesIn(folder, 'file')) files[name] = (await fileIn(folder, name))!;
  return files;
}

/** A file that is written in place; the DOM's types leave it to those of workers, which alone have it. */
export interface WritableFile {
  truncate(size: number): void;
  write(bytes: Uint8Array<ArrayBuffer>, options: { readonly at: number }): number;
  flush(): void;
  close(): void;
}

/** Opens a file for writing, made where it is not there. Workers alone have this way, which every browser knows. */
export async function openForWriting(folder: FileSystemDirectoryHandle, name: string): Promise<WritableFile> {
  const handle = await folder.getFileHandle(name, { create: true });
  return (handle as unknown as { createSyncAccessHandle(): Promise<WritableFile> }).createSyncAccessHandle();
}

/** Writes a file and has it lasting before it returns. */
export async function writeFile(
  folder: FileSystemDirectoryHandle,
  name: string,
  content: Uint8Array<ArrayBuffer> | string,
): Promise<void> {
  const access = await openForWriting(folder, name);
  try {
    access.truncate(0);
    access.write(typeof content === 'string' ? new TextEncoder().encode(content) : content, { at: 0 });
    access.flush();
  } finally {
    access.close();
  }
}

/** Removes a file or a folder with all in it; what is not there needs no removing. */
export async function remove(folder: FileSystemDirectoryHandle, name: string): Promise<void> {
  try {
    await folder.removeEntry(name, { recursive: true });
  } catch (error) {
    if (!isMissing(error)) throw error;
  }
}

function isMissing(error: unknown): boolean {
  return error instanceof DOMException && error.name === 'NotFoundError';
}
