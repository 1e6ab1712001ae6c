import { HubError } from '../../error';
import { type ByteSource } from '../../files/byte-source';
import { missingFile, type ModelFiles, modelFiles } from '../../files/model-files';
import { checkRelativePath } from '../../files/path';
import { sleep } from '../../http/retry';
import { checkRepoId, checkRevision } from '../../http/url';
import { fileSource } from '../file-source';
import { exists, RepoCache } from './cache';
import { download } from './download';
import { withLock } from './lock';
import { askAboutFile, type RemoteFile } from './remote-file';
import { type HubSettings } from './settings';
import { Speed } from './speed';

/** The files of a hub repository, fetched into the cache one by one as they are asked for. */
export function cachedHubFiles(repo: string, settings: HubSettings): ModelFiles {
  checkRepoId(repo);
  checkRevision(settings.revision);
  const repository = new HubRepository(repo, settings);
  return modelFiles(
    repo,
    {
      has: (path) => repository.has(path),
      open: (path) => repository.open(path),
    },
    settings,
  );
}

class HubRepository {
  private readonly cache: RepoCache;
  /** The commit all files come from, once the first answer has said it. */
  private commit: string | undefined;
  private readonly asked = new Map<string, Promise<RemoteFile | undefined>>();
  private readonly fetched = new Map<string, Promise<void>>();

  constructor(
    private readonly repo: string,
    private readonly settings: HubSettings,
  ) {
    this.cache = new RepoCache(settings.cacheDir, repo);
    // A full commit id can't come to mean anything else, so what the cache has of it needs no question.
    if (/^[0-9a-f]{40}$/.test(settings.revision)) this.commit = settings.revision;
  }

  async has(path: string): Promise<boolean> {
    checkRelativePath(path, this.repo);
    if (this.settings.offline) await this.offlineCommit();
    if (await this.isCached(path)) return true;
    if (this.settings.offline) return false;
    if (this.commit !== undefined && (await this.cache.isMissing(this.commit, path))) return false;
    return (await this.ask(path)) !== undefined;
  }

  async open(path: string): Promise<ByteSource> {
    if (!(await this.has(path))) {
      if (!this.settings.offline) throw missingFile(this.repo, path);
      throw new HubError(
        'OFFLINE',
        `${this.repo} has no file ${path} in the cache ${this.cache.folder}, and offline mode is on. ` +
          'Fetch it once without offline (HF_HUB_OFFLINE).',
        { place: `${this.repo}/${path}`, value: path },
      );
    }
    if (!(await this.isCached(path))) await once(this.fetched, path, () => this.fetch(path));
    return fileSource(this.cache.snapshot(this.commit!, path));
  }

  private async isCached(path: string): Promise<boolean> {
    return this.commit !== undefined && exists(this.cache.snapshot(this.commit, path));
  }

  private async offlineCommit(): Promise<void> {
    const { revision } = this.settings;
    this.commit ??= await this.cache.commit(revision);
    if (this.commit !== undefined) return;
    throw new HubError(
      'OFFLINE',
      `${this.repo} (revision ${revision}) is not in the cache ${this.cache.folder}, and offline mode is on. ` +
        'Fetch it once without offline (HF_HUB_OFFLINE).',
      { place: this.repo, value: revision },
    );
  }

  private ask(path: string): Promise<RemoteFile | undefined> {
    return once(this.asked, path, () => this.askHub(path));
  }

  private async askHub(path: string): Promise<RemoteFile | undefined> {
    const { revision } = this.settings;
    let answer;
    try {
      answer = await askAboutFile(this.settings, this.repo, path, revision);
      // The branch has moved since the first file: the others must come from the same commit.
      if (this.commit !== undefined && answer.commit !== undefined && answer.commit !== this.commit) {
        answer = await askAboutFile(this.settings, this.repo, path, this.commit);
      }
    } catch (error) {
      throw await this.withCachedHint(error);
    }
    const { file, commit } = answer;
    if (commit !== undefined) {
      if (this.commit === undefined) await this.cache.remember(revision, commit);
      this.commit ??= commit;
      if (file === undefined) await this.cache.rememberMissing(commit, path);
    }
    return file;
  }

  /** What is cached is not used behind the caller's back, but a lost connection is told how to use it. */
  private async withCachedHint(error: unknown): Promise<unknown> {
    if (!HubError.isInstance(error) || error.code !== 'NETWORK') return error;
    const commit = await this.cache.commit(this.settings.revision);
    if (commit === undefined) return error;
    const message = `${error.message} The cache has commit ${commit}: give offline: true (HF_HUB_OFFLINE=1) to use it.`;
    return new HubError(error.code, message, { place: error.place, value: error.value });
  }

  private async fetch(path: string): Promise<void> {
    const remote = (await this.ask(path))!;
    const { settings, cache, repo } = this;
    const blob = cache.blob(remote.etag);
    const speed = new Speed();
    const totalBytes = remote.size;
    const report = (receivedBytes: number, done: boolean): void => {
      speed.note(receivedBytes);
      settings.onProgress({
        ...{ repo, file: path, receivedBytes, totalBytes, done },
        bytesPerSecond: speed.perSecond,
        secondsLeft: done ? 0 : speed.secondsLeft(receivedBytes, totalBytes),
      });
    };
    await cache.makeFolders();
    const fetchBlob = async (): Promise<void> => {
      if (await exists(blob)) return;
      let received = 0;
      await download(settings, remote, blob, (bytes) => report((received = bytes), false));
      report(received, true);
    };
    await cache.writing(() => withLock(cache.lock(remote.etag), settings.retry.wait ?? sleep, fetchBlob));
    await cache.link(remote.commit, path, remote.etag);
  }
}

/** One promise a key while it runs and after it succeeded; a failure may be tried again. */
function once<Result>(known: Map<string, Promise<Result>>, key: string, run: () => Promise<Result>): Promise<Result> {
  const running = known.get(key);
  if (running !== undefined) return running;
  const started = run();
  known.set(key, started);
  started.catch(() => known.delete(key));
  return started;
}
