import { strToU8, unzipSync, zipSync } from 'fflate';
import type { AdapterFolder } from '@qlora-js/finetune';

/** A folder as a zip file: the same bytes for the same files. */
export function zipFolder(files: AdapterFolder): Uint8Array<ArrayBuffer> {
  const entries = Object.entries(files).map(([name, content]): [string, Uint8Array] => [
    name,
    typeof content === 'string' ? strToU8(content) : content,
  ]);
  // Stored, since weights don't pack; and dated alike, or two zips of one adapter would differ.
  return zipSync(Object.fromEntries(entries), { level: 0, mtime: new Date(1980, 0, 1) });
}

/**
 * The files of a zip file by their paths.
 *
 * @throws Error where they would have more than `maxBytes`, before they are unpacked
 */
export function unzip(bytes: Uint8Array, { name, maxBytes }: { readonly name: string; readonly maxBytes: number }) {
  let total = 0;
  return unzipSync(bytes, {
    filter: ({ originalSize }) => {
      total += originalSize;
      if (total > maxBytes) throw new Error(`${name} unpacks to more than ${maxBytes} bytes: it is no adapter`);
      return true;
    },
  });
}
