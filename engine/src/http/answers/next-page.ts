/** The address of the page that begins after `after`, otherwise as it was asked for. */
export function nextPageUrl(url: string, after: string): string {
  const [path, query] = url.split('?');
  const parameters = new URLSearchParams(query);
  parameters.set('after', after);
  return `${path}?${parameters}`;
}
