import { Dataset } from '../dataset/dataset';
import { DataError, shown } from '../errors';

/**
 * Reads JSON Lines: one object a line, all with the same keys; empty lines are skipped.
 * @throws DataError `MALFORMED_JSON` naming the line
 */
export function parseJsonl(text: string, options: { source?: string } = {}): Dataset {
  const { source = 'JSONL text' } = options;
  const rows: Record<string, unknown>[] = [];
  let names: string[] | undefined;
  const lines = text.replace(/^\uFEFF/, '').split(/\r\n|\n/);
  lines.forEach((content, index) => {
    if (content.trim() === '') return;
    const place = `${source}, line ${index + 1}`;
    const row = parseJson(content, place);
    if (typeof row !== 'object' || row === null || Array.isArray(row)) {
      throw new DataError('MALFORMED_JSON', `${place}: a line holds one JSON object, got ${shown(content)}`, content);
    }
    const keys = Object.keys(row);
    names ??= keys;
    const odd = names.find((name) => !keys.includes(name)) ?? keys.find((name) => !names!.includes(name));
    if (odd !== undefined) {
      const fault = keys.includes(odd) ? 'is new here' : 'is missing';
      throw new DataError(
        'MALFORMED_JSON',
        `${place}: the key ${shown(odd)} ${fault}; every line has the keys ${names.join(', ')}`,
        odd,
      );
    }
    rows.push(row as Record<string, unknown>);
  });
  return Dataset.fromRows(rows);
}

/** JSON.parse whose error names the place. */
export function parseJson(text: string, place: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new DataError(
      'MALFORMED_JSON',
      `${place}: not JSON (${cause instanceof Error ? cause.message : 'unreadable'}): ${shown(text)}`,
      text,
    );
  }
}
