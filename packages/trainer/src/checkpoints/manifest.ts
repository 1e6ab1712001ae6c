import { memoryFiles, type ReadableFiles } from '@qlora-js/hub';
import { TrainerError } from '../errors';
import { sha256 } from '../state/sha256';
import type { RunIdentity } from './run-identity';
import { parseObject } from './state-files';
import type { CheckpointFiles } from './store';

/** The file of a checkpoint that says what the others are. */
const MANIFEST = 'checkpoint.json';

const FORMAT = 'qlora.js checkpoint';
const VERSION = 1;

/** What a file of a checkpoint has to be. */
interface FileEntry {
  readonly bytes: number;
  /** Of its content, hexadecimal. */
  readonly sha256: string;
}

/** What a checkpoint says of itself. */
export interface Manifest {
  readonly format: typeof FORMAT;
  readonly version: number;
  /** Optimiser steps done. */
  readonly step: number;
  /** What the run was made of. */
  readonly run: RunIdentity;
  readonly files: Readonly<Record<string, FileEntry>>;
}

/** The files of a checkpoint with the manifest that vouches for them. */
export async function sealed(
  files: CheckpointFiles,
  { step, run }: Pick<Manifest, 'step' | 'run'>,
): Promise<CheckpointFiles> {
  const encoder = new TextEncoder();
  const entries: [string, FileEntry][] = [];
  for (const [name, content] of Object.entries(files)) {
    const bytes = typeof content === 'string' ? encoder.encode(content) : content;
    entries.push([name, { bytes: bytes.length, sha256: await sha256(bytes) }]);
  }
  const manifest: Manifest = { format: FORMAT, version: VERSION, step, run, files: Object.fromEntries(entries) };
  const body = JSON.stringify(manifest, null, 2);
  // The manifest's own hash, over its text without that line.
  const seal = await sha256(encoder.encode(body));
  return { ...files, [MANIFEST]: `${JSON.stringify({ ...manifest, sha256: seal }, null, 2)}\n` };
}

/** A checkpoint whose every byte was checked. */
export interface VerifiedFiles {
  readonly manifest: Manifest;
  /** In memory: what was checked is what is read. */
  readonly files: ReadableFiles;
  /** The same, to be written elsewhere, with the manifest. */
  readonly contents: CheckpointFiles;
}

/**
 * Reads all of a checkpoint and holds it against its manifest.
 *
 * @throws TrainerError BAD_CHECKPOINT that names the file and what is wrong with it
 */
export async function verified(saved: ReadableFiles): Promise<VerifiedFiles> {
  if (!(await saved.has(MANIFEST))) {
    throw bad(`${saved.id} has no ${MANIFEST}: another program or an older version wrote it`);
  }
  const text = await saved.text(MANIFEST);
  const { sha256: seal, ...rest } = parseObject(text, `${saved.id}/${MANIFEST}`);
  if (rest['format'] !== FORMAT) throw bad(`${saved.id}/${MANIFEST} is not of a checkpoint of qlora.js`);
  if (rest['version'] !== VERSION) {
    throw bad(
      `${saved.id} is of version ${String(rest['version'])}, and this one reads ${VERSION}: use the qlora.js that wrote it`,
    );
  }
  const encoder = new TextEncoder();
  if (seal !== (await sha256(encoder.encode(JSON.stringify(rest, null, 2))))) {
    throw bad(`${saved.id}/${MANIFEST} is damaged: it does not fit its own SHA-256`);
  }
  // Only what `sealed` has written has that hash, so the shape needs no further look.
  const manifest = rest as unknown as Manifest;
  const contents: Record<string, Uint8Array> = {};
  for (const [name, entry] of Object.entries(manifest.files)) {
    if (!(await saved.has(name))) throw bad(`${saved.id} lacks ${name}`);
    const source = await saved.open(name);
    if (source.size !== entry.bytes) {
      throw bad(`${saved.id}/${name} is damaged: it has ${source.size} bytes and had ${entry.bytes}`);
    }
    const bytes = await source.read(0, source.size);
    if ((await sha256(bytes)) !== entry.sha256) {
      throw bad(`${saved.id}/${name} is damaged: it does not fit its SHA-256`);
    }
    contents[name] = bytes;
  }
  return { manifest, files: memoryFiles(saved.id, contents), contents: { ...contents, [MANIFEST]: text } };
}

function bad(message: string): TrainerError {
  return new TrainerError('BAD_CHECKPOINT', message);
}
