import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { isAbsolute, join, relative, resolve, sep } from 'node:path';
import { reasonOf, TrackingError } from '../errors';
import { type ArtifactEvent, type ArtifactFile } from '../run-event';
import { type RunStore } from '../run-store';

/** Files of a folder as an artifact lists them. */
export interface FolderArtifact {
  /** The files' folder, relative to the run's where it lies inside, with slashes. */
  readonly folder: string;
  readonly files: readonly ArtifactFile[];
}

/**
 * Describes the files of a folder, as `RunTracking.artifact` takes them.
 *
 * @param names files of the folder to take; default: all in it, not those in folders below
 * @throws TrackingError READ_FAILED
 */
export async function folderArtifact({
  folder,
  runFolder,
  names,
}: {
  folder: string;
  runFolder: string;
  names?: readonly string[];
}): Promise<FolderArtifact> {
  const inside = relative(resolve(runFolder), resolve(folder));
  const below = inside.split(sep)[0] !== '..' && !isAbsolute(inside);
  const place = below ? inside.split(sep).join('/') || '.' : resolve(folder);
  try {
    const found = (await readdir(folder, { withFileTypes: true })).filter((entry) => entry.isFile());
    const wanted = names ?? found.map((entry) => entry.name).filter((name) => !name.startsWith('.'));
    const files = [...wanted].sort().map(async (path) => {
      const bytes = await readFile(join(folder, path));
      return { path, size: bytes.length, md5: md5(bytes) };
    });
    return { folder: place, files: await Promise.all(files) };
  } catch (error) {
    throw new TrackingError('READ_FAILED', reasonOf(error), { place: folder, cause: error });
  }
}

/** The bytes of a file of an artifact. @throws TrackingError ARTIFACT_CHANGED where they are no longer those that were logged */
export async function readArtifactFile(store: RunStore, artifact: ArtifactEvent, path: string): Promise<Uint8Array> {
  const bytes = await store.readFile(artifact.folder, path);
  const logged = artifact.files.find((file) => file.path === path);
  if (logged !== undefined && logged.md5 === md5(bytes)) return bytes;
  throw new TrackingError('ARTIFACT_CHANGED', 'the file is not what it was when it was logged', {
    place: `${artifact.folder}/${path}`,
    remedy: 'Files of an artifact must stay as they are until they are sent',
  });
}

function md5(bytes: Uint8Array): string {
  return createHash('md5').update(bytes).digest('base64');
}
