import { HubError, type HubErrorCode } from '../error';

/** The code of an operating system's error (ENOENT, EACCES, ...), or undefined. */
export function systemCode(error: unknown): string | undefined {
  const code: unknown = error instanceof Error && 'code' in error ? error.code : undefined;
  return typeof code === 'string' ? code : undefined;
}

const advice: Record<string, string> = {
  EACCES: 'permission is denied',
  EPERM: 'permission is denied',
  EROFS: 'the file system is read-only',
  ENOSPC: 'the disk is full',
  EDQUOT: 'the disk quota is used up',
  ENOTDIR: 'a part of the path is a file, not a folder',
  EEXIST: 'a file is in the way',
  EISDIR: 'it is a folder',
  ENOENT: 'it does not exist',
  EMFILE: 'too many files are open',
  ELOOP: 'its symbolic links go in a circle',
  ENAMETOOLONG: 'the name is too long',
};

/** Says in words what the system refused, with the path and what was being done. */
export function systemError(error: unknown, code: HubErrorCode, doing: string, path: string): HubError {
  if (HubError.isInstance(error)) return error;
  const name = systemCode(error);
  const reason = (name && advice[name]) ?? (error instanceof Error ? error.message : String(error));
  return new HubError(code, `${doing} ${path}: ${reason}${name ? ` (${name})` : ''}`, { place: path, cause: error });
}
