// Loads a GPT-2 for classification on wasm, in NF4, and prints what that took as JSON.
// usage: node --conditions=@qlora-js/source --import tsx tools/verify/medium/load-model.ts FOLDER float32|float16
import { loadGpt2ForSequenceClassification, loadReportLines } from '@qlora-js/gpt2';
import { folderFiles } from '@qlora-js/hub/node';
import { openDevice } from '@qlora-js/kernels';
import { readFileSync } from 'node:fs';
import { type LoadMeasurement } from './dialogpt-medium';

const [folder, embeddingDtype] = process.argv.slice(2) as [string, 'float32' | 'float16'];
const device = await openDevice({ backend: 'wasm' });
const before = process.memoryUsage.rss();
const started = performance.now();
const { model, report } = await loadGpt2ForSequenceClassification(await folderFiles(folder), {
  numLabels: 77,
  embeddingDtype,
});
const measured: LoadMeasurement = {
  seconds: (performance.now() - started) / 1000,
  peakMegabytes: (mostBytes() - before) / 1e6,
  report: loadReportLines(report),
};
model.dispose();
device.dispose();
console.log(JSON.stringify(measured));

/** The most memory that this process had. getrusage's maximum would be its parent's, if that was larger when it forked. */
function mostBytes(): number {
  const [, kilobytes] = /^VmHWM:\s*(\d+) kB$/m.exec(readFileSync('/proc/self/status', 'utf8')) ?? [];
  if (kilobytes === undefined) throw new Error('/proc/self/status has no VmHWM: this runs on Linux alone');
  return 1024 * Number(kilobytes);
}
