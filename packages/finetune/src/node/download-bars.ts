import type { DownloadProgress } from '@qlora-js/hub/node';
import type { Output, ProgressBar } from '../run/output';

/** Shows each download with its size, speed and time left, and says when it is there. */
export function downloadBars(output: Output): (progress: DownloadProgress) => void {
  const bars = new Map<string, ProgressBar>();
  return ({ repo, file, receivedBytes, totalBytes = 0, done }) => {
    const key = `${repo}/${file}`;
    const bar = bars.get(key) ?? output.bar(file, totalBytes, { unit: 'bytes' });
    bars.set(key, bar);
    bar.update(receivedBytes);
    if (!done) return;
    bar.stop();
    bars.delete(key);
    output.line(`downloaded: ${key}, ${(receivedBytes / 2 ** 20).toFixed(1)} MiB`);
  };
}
