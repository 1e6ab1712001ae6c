import { readFileSync } from 'node:fs';
import { parse } from 'yaml';
import { UsageError } from '../errors';
import type { OptionSource } from './check';

/** A run's file is a page, not a book. */
const MAX_BYTES = 1_000_000;

/**
 * Reads a run's file: YAML, or JSON, which YAML contains.
 * @throws UsageError naming the file and what is wrong with it
 */
export function readConfigFile(path: string): OptionSource {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    throw new UsageError('USAGE', `--config: ${path} can't be read: ${(error as Error).message}`, { value: path });
  }
  if (text.length > MAX_BYTES)
    throw new UsageError('USAGE', `--config: ${path} has more than ${MAX_BYTES} characters`, { value: path });
  let content: unknown;
  try {
    content = path.endsWith('.json') ? JSON.parse(text) : parse(text, { maxAliasCount: 100, logLevel: 'error' });
  } catch (error) {
    const format = path.endsWith('.json') ? 'JSON' : 'YAML';
    throw new UsageError('USAGE', `--config: ${path} is not ${format}: ${(error as Error).message.split('\n')[0]}`, {
      value: path,
    });
  }
  if (typeof content !== 'object' || content === null || Array.isArray(content))
    throw new UsageError('USAGE', `--config: ${path} does not hold options by name`, { value: path });
  // `$schema` is for editors.
  const { $schema: _, ...values } = content as Record<string, unknown>;
  return { place: path, flags: false, values };
}
