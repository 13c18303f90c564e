/** The URL of the page that begins after `after`; all other parameters stay as they were. */
export function nextPageUrl(url: string, after: string): string {
  const [path, query] = url.split('?');
  const parameters = new URLSearchParams(query);
  parameters.set('after', after);
  return `${path}?${parameters}`;
}
