import { memoryFiles, type ModelFiles } from '@qlora-js/hub';

/** Bytes that an adapter's folder may unpack to: hundreds of times what an adapter of a small model has. */
const MAX_BYTES = 1_000_000_000;

/** An adapter's files as they were dropped: its zip file, or the files of its folder. */
export async function adapterOf(files: Readonly<Record<string, Blob>>): Promise<ModelFiles> {
  const [name, ...others] = Object.keys(files);
  if (name === undefined) throw new Error('no file was given');
  if (others.length > 0 || !name.endsWith('.zip')) return memoryFiles('the adapter', withoutFolder(files));
  const { unzip } = await import('./zip');
  const unpacked = unzip(new Uint8Array(await files[name]!.arrayBuffer()), { name, maxBytes: MAX_BYTES });
  return memoryFiles(name, withoutFolder(unpacked));
}

/** Paths without the folder that all files lie in. */
function withoutFolder<Content>(files: Readonly<Record<string, Content>>): Record<string, Content> {
  const inFolder = Object.keys(files).find((path) => path.endsWith('adapter_config.json'));
  const folder = inFolder?.slice(0, -'adapter_config.json'.length) ?? '';
  const entries = Object.entries(files).filter(([path]) => path.startsWith(folder) && !path.endsWith('/'));
  return Object.fromEntries(entries.map(([path, content]) => [path.slice(folder.length), content]));
}
