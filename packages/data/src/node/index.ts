export { fileSource, openData } from './open-data';
export { cachedRows, fileSha256, type CacheKey, type RowCacheOptions } from './row-cache';
export { serveRows, workerRows, type WorkerRowsOptions } from './worker-rows';
