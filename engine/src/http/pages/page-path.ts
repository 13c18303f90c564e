/**
 * The canonical path of a page, without a query. A path that two servers may read differently has none: dot segments,
 * empty segments, backslashes, and separators encoded once or twice. So a limit that looks at the path and the web
 * process always mean the same page.
 */
export function pagePathOf(url: string): string | undefined {
  const [path = ''] = url.split('?', 1);
  if (/%(2f|5c|3f|23|25)/i.test(path)) return undefined;
  const plain = decoded(path);
  if (plain === undefined || !plain.startsWith('/')) return undefined;
  return /[\\#\p{Cc}]|\/\/|\/\.\.?(\/|$)/u.test(plain) ? undefined : encodeURI(plain);
}

function decoded(path: string): string | undefined {
  try {
    return decodeURIComponent(path);
  } catch {
    return undefined;
  }
}
