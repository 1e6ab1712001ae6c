/**
 * A text without the password that it holds as a URL: that of its authority, or `password` in its query, which PostgreSQL's
 * drivers read too. PGPASSWORD and .pgpass keep passwords out of command lines.
 */
export function withoutPassword(text: string): string {
  const [, scheme, rest] = /^([a-z][a-z0-9+.-]*:\/\/)(.*)$/is.exec(text) ?? [];
  if (scheme === undefined) return text;
  const [, authority, path, query, fragment] = /^([^/?#]*)([^?#]*)(?:\?([^#]*))?(.*)$/s.exec(
    withoutUserPassword(rest!),
  )!;
  const kept = query?.split('&').filter((entry) => !new URLSearchParams(entry).has('password')) ?? [];
  return `${scheme}${authority!}${path!}${kept.length === 0 ? '' : `?${kept.join('&')}`}${fragment!}`;
}

/** Drops what stands between the user's name and the last @ of the authority. */
function withoutUserPassword(rest: string): string {
  const authority = /^[^/?#]*/.exec(rest)![0];
  // Characters that end an authority stand in a password that should have been encoded: no port is more than digits.
  const broken = !authority.includes('@') && !/^[^:]*(:\d*)?$|^\[[^\]]*\](:\d*)?$/.test(authority);
  const end = (broken ? rest : authority).lastIndexOf('@');
  const colon = rest.indexOf(':');
  return end < 0 || colon < 0 || colon > end ? rest : rest.slice(0, colon) + rest.slice(end);
}
