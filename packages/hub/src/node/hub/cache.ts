import { copyFile, mkdir, readFile, rename, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { randomUUID } from 'node:crypto';
import { basename, dirname, join, relative } from 'node:path';
import { isDatasetId } from '../../http/url';
import { systemCode, systemError } from '../system-error';
import { writeFileAtomic } from '../write-file-atomic';

/**
 * One repository in the cache that the Python stack uses too (huggingface_hub, "Understand caching"):
 * ```
 * models--ORG--NAME/blobs/ETAG                content, once
 *                   snapshots/COMMIT/PATH     symbolic link to its blob
 *                   refs/REVISION             the commit that a branch or tag stood for
 *                   .no_exist/COMMIT/PATH     empty: the repository has no such file
 * ```
 */
export class RepoCache {
  readonly folder: string;

  constructor(
    private readonly cacheDir: string,
    repo: string,
  ) {
    const id = isDatasetId(repo) ? repo : `models/${repo}`;
    this.folder = join(cacheDir, id.replaceAll('/', '--'));
  }

  blob(etag: string): string {
    return join(this.folder, 'blobs', etag);
  }

  /** Beside Python's locks, under a name of its own: those are advisory locks, which Node has not. */
  lock(etag: string): string {
    return join(this.cacheDir, '.locks', basename(this.folder), `${etag}.download`);
  }

  snapshot(commit: string, path: string): string {
    return join(this.folder, 'snapshots', commit, path);
  }

  /** The commit that the revision stood for when it was last asked about. */
  async commit(revision: string): Promise<string | undefined> {
    try {
      const text = (await readFile(join(this.folder, 'refs', revision), 'utf8')).trim();
      if (/^[\w-]{1,64}$/.test(text)) return text;
    } catch (error) {
      if (!['ENOENT', 'ENOTDIR', 'EISDIR'].includes(systemCode(error) ?? '')) {
        throw systemError(error, 'NOT_FOUND', "Can't read the cache", this.folder);
      }
    }
    // A commit's own id needs no reference.
    return (await exists(join(this.folder, 'snapshots', revision))) ? revision : undefined;
  }

  async remember(revision: string, commit: string): Promise<void> {
    // Not written anew without need: a cache that others share may be read-only.
    if (revision === commit || (await this.commit(revision)) === commit) return;
    const path = join(this.folder, 'refs', revision);
    await this.writing(async () => mkdir(dirname(path), { recursive: true }));
    await writeFileAtomic(path, commit);
  }

  /** True where the repository was found not to have the file in that commit, which can't change. */
  isMissing(commit: string, path: string): Promise<boolean> {
    return exists(join(this.folder, '.no_exist', commit, path));
  }

  /** Saves a question the next time, no more: where the cache can't be written, it is asked again. */
  async rememberMissing(commit: string, path: string): Promise<void> {
    const mark = join(this.folder, '.no_exist', commit, path);
    await mkdir(dirname(mark), { recursive: true })
      .then(() => writeFile(mark, ''))
      .catch(() => undefined);
  }

  /** Gives a blob its name in the snapshot: a relative link, or a copy on file systems without links. */
  async link(commit: string, path: string, etag: string): Promise<void> {
    const pointer = this.snapshot(commit, path);
    const blob = this.blob(etag);
    const temporary = join(dirname(pointer), `.${randomUUID()}.tmp`);
    await this.writing(async () => {
      await mkdir(dirname(pointer), { recursive: true });
      try {
        await symlink(relative(dirname(pointer), blob), temporary);
      } catch (error) {
        if (!['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EINVAL'].includes(systemCode(error) ?? '')) throw error;
        await copyFile(blob, temporary);
      }
      try {
        await rename(temporary, pointer);
      } finally {
        await rm(temporary, { force: true });
      }
    });
  }

  async makeFolders(): Promise<void> {
    await this.writing(async () => mkdir(join(this.folder, 'blobs'), { recursive: true }));
  }

  /** Says of a failure in `run` that the cache can't be written. */
  async writing<Result>(run: () => Promise<Result>): Promise<Result> {
    try {
      return await run();
    } catch (error) {
      if (systemCode(error) === undefined) throw error;
      throw systemError(error, 'NOT_WRITABLE', "Can't write to the cache (cacheDir, HF_HUB_CACHE)", this.folder);
    }
  }
}

/** True for what is there and, if a link, leads somewhere. */
export async function exists(path: string): Promise<boolean> {
  try {
    await stat(path);
    return true;
  } catch (error) {
    if (['ENOENT', 'ENOTDIR'].includes(systemCode(error) ?? '')) return false;
    throw systemError(error, 'NOT_FOUND', "Can't look at", path);
  }
}
