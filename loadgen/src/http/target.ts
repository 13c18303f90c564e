import { LoadFailure } from '../failure.js';

/** The destination of requests: an origin over plain HTTP. */
export interface Target {
  readonly host: string;
  readonly port: number;
  readonly origin: string;
}

/**
 * @throws LoadFailure `usage` for anything but `http://host[:port]`. TLS is left out on purpose: its cost in this
 * process would be measured as the server's.
 */
export function parseTarget(url: string): Target {
  const parsed = URL.canParse(url) ? new URL(url) : null;
  if (parsed === null || parsed.protocol !== 'http:' || parsed.pathname !== '/' || parsed.search !== '') {
    throw new LoadFailure(
      'usage',
      `--url ${url}: expected an origin such as http://127.0.0.1:3000; only http:// is supported, ` +
        'without a path. To measure an https server, put a plain HTTP listener in front of it.',
    );
  }
  const port = parsed.port === '' ? 80 : Number(parsed.port);
  // Node expects an IPv6 address without the brackets of a URL.
  return { host: parsed.hostname.replace(/^\[|\]$/g, ''), port, origin: parsed.origin };
}

/** Several addresses of one server, separated by commas. Connections are assigned to them in turn. */
export function parseTargets(urls: string): [Target, ...Target[]] {
  const [first = '', ...others] = urls.split(',');
  return [parseTarget(first), ...others.map(parseTarget)];
}
