import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { delimiter, dirname, join } from 'node:path';
import { brotliDecompressSync } from 'node:zlib';

const TAR_BLOCK = 512;

/**
 * What a process's environment must have for Dawn to find the software GPU alone, its driver unpacked into `folder`; nothing
 * where npm brings none. The Vulkan loader reads it when a process starts, so it cannot be set from inside.
 *
 * @param {string} folder
 * @returns {Promise<Record<string, string>>}
 */
export async function softwareGpu(folder) {
  if (process.platform !== 'linux' || process.arch !== 'x64') return {};
  await unpackSwiftshader(folder);
  const icd = join(folder, 'vk_swiftshader_icd.json');
  return {
    LD_LIBRARY_PATH: [folder, process.env.LD_LIBRARY_PATH].filter(Boolean).join(delimiter),
    VK_ICD_FILENAMES: icd,
    VK_DRIVER_FILES: icd,
    QLORA_SOFTWARE_GPU: '1',
  };
}

/**
 * Unpacks SwiftShader's Vulkan driver and loader into `folder`, once.
 * The archive is a brotli-compressed ustar of plain files; only the three named here are written.
 */
async function unpackSwiftshader(folder) {
  const wanted = new Set(['libvk_swiftshader.so', 'libvulkan.so.1', 'vk_swiftshader_icd.json']);
  if ([...wanted].every((name) => existsSync(join(folder, name)))) return;
  const require = createRequire(import.meta.url);
  const archive = join(dirname(require.resolve('@sparticuz/chromium')), '..', '..', 'bin', 'swiftshader.tar.br');
  const tar = brotliDecompressSync(await readFile(archive));
  await mkdir(dirname(folder), { recursive: true });
  const staging = await mkdtemp(join(dirname(folder), 'swiftshader-'));
  for (let offset = 0; offset + TAR_BLOCK <= tar.length;) {
    const field = (start, length) =>
      tar.toString('latin1', offset + start, offset + start + length).replace(/\0.*$/s, '');
    const name = field(0, 100).replace(/^\.\//, '');
    if (name === '') break;
    const size = Number.parseInt(field(124, 12).trim() || '0', 8);
    const body = offset + TAR_BLOCK;
    if (wanted.delete(name)) await writeFile(join(staging, name), tar.subarray(body, body + size));
    offset = body + Math.ceil(size / TAR_BLOCK) * TAR_BLOCK;
  }
  if (wanted.size > 0) throw new Error(`${archive} does not hold ${[...wanted].join(', ')}`);
  await rm(folder, { recursive: true, force: true });
  // Two runs may unpack at once; the one that renames second finds the folder there, equal to its own.
  await rename(staging, folder).catch(() => rm(staging, { recursive: true, force: true }));
}
