import { expect, it } from 'vitest';
import { SILENT } from '../run/output';
import { downloadBars } from './download-bars';

it('shows each file by its bytes and says when it is there', () => {
  const seen: string[] = [];
  const report = downloadBars({
    ...SILENT,
    line: (text = '') => void seen.push(text),
    bar: (label, total, options) => ({
      update: (done) => void seen.push(`${label} ${done}/${total} ${options?.unit}`),
      stop: () => void seen.push(`${label} stopped`),
    }),
  });
  const file = { repo: 'org/base', totalBytes: 3 * 2 ** 20, bytesPerSecond: 1, secondsLeft: 1 };
  report({ ...file, file: 'a.bin', receivedBytes: 0, done: false });
  report({ ...file, file: 'b.bin', totalBytes: undefined, receivedBytes: 5, done: false });
  report({ ...file, file: 'a.bin', receivedBytes: 3 * 2 ** 20, done: true });
  expect(seen).toEqual([
    'a.bin 0/3145728 bytes',
    'b.bin 5/0 bytes',
    'a.bin 3145728/3145728 bytes',
    'a.bin stopped',
    'downloaded: org/base/a.bin, 3.0 MiB',
  ]);
});
