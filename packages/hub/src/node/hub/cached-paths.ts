import { readdir } from 'node:fs/promises';
import { HubError } from '../../error';
import { checkRepoId, checkRevision } from '../../http/url';
import { RepoCache } from './cache';
import { hubSettings, type ResolveModelOptions } from './settings';

/**
 * Paths of a repository's files that are in the cache, where the options or HF_HUB_OFFLINE say that it alone is used; undefined where
 * the hub can be asked.
 *
 * @param repo as `resolveModel` takes it
 * @throws HubError OFFLINE where the cache has nothing of that revision
 */
export async function offlinePaths(repo: string, options: ResolveModelOptions = {}): Promise<string[] | undefined> {
  checkRepoId(repo);
  const { offline, revision, cacheDir } = await hubSettings(options);
  if (!offline) return undefined;
  checkRevision(revision);
  const cache = new RepoCache(cacheDir, repo);
  const commit = /^[0-9a-f]{40}$/.test(revision) ? revision : await cache.commit(revision);
  const folder = commit === undefined ? undefined : cache.snapshot(commit, '.');
  const entries =
    folder === undefined ? [] : await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => []);
  const paths = entries
    .filter((entry) => !entry.isDirectory())
    .map(({ parentPath, name }) => `${parentPath}/${name}`.replaceAll('\\', '/').slice(folder!.length + 1));
  if (paths.length > 0) return paths.sort();
  throw new HubError(
    'OFFLINE',
    `${repo} (revision ${revision}) is not in the cache ${cache.folder}, and offline mode is on. Fetch it once without offline (HF_HUB_OFFLINE).`,
    {
      place: repo,
      value: revision,
    },
  );
}
