/** `bytes START-END/TOTAL` of a partial answer (RFC 9110, 14.4), or undefined where it says something else. */
export function contentRange(response: Response): { start: number; end: number; total: number } | undefined {
  const match = /^bytes (\d+)-(\d+)\/(\d+)$/.exec(response.headers.get('content-range') ?? '');
  if (match === null) return undefined;
  const [start, end, total] = match.slice(1).map(Number) as [number, number, number];
  return start <= end && end < total && Number.isSafeInteger(total) ? { start, end, total } : undefined;
}
