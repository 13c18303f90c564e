import { createServer } from 'node:http';
import { describe, expect, it } from 'vitest';
import { until } from '../../test/support/condition.js';
import { listenUntilTestEnds } from '../../test/support/listen.js';
import { createDestinations } from './address.js';
import { createPost } from './post.js';

const inProduction = { allowedRanges: [], isHttpAllowed: false };

describe("a webhook's address", () => {
  const { whyNot } = createDestinations(inProduction);

  it.each([
    ...['http://shop.example/', 'ftp://shop.example/', 'https://user:password@shop.example/'],
    ...[
      'https://127.0.0.1/',
      'https://10.1.2.3/',
      'https://172.16.0.1/',
      'https://192.168.1.1/',
      'https://0.0.0.0/',
    ],
    // The same address in other notations that a URL may use.
    ...['https://2130706433/', 'https://0x7f.1/', 'https://0177.0.0.1/', 'https://127.1/'],
    // Metadata services of cloud providers.
    ...[
      'https://169.254.169.254/',
      'https://[fd00:ec2::254]/',
      'https://168.63.129.16/',
      'https://100.100.100.200/',
    ],
    ...['https://[::1]/', 'https://[::]/', 'https://[fe80::1]/', 'https://[fc00::1]/', 'https://[ff02::1]/'],
    ...[
      'https://[::ffff:127.0.0.1]/',
      'https://[::ffff:a00:1]/',
      'https://[64:ff9b::7f00:1]/',
      'https://[2002:7f00:1::]/',
    ],
    ...['https://[2001:db8::1]/', 'https://198.51.100.7/', 'https://224.0.0.1/', 'https://255.255.255.255/'],
  ])('may not be %s', url => {
    expect(whyNot(new URL(url))).toEqual(expect.any(String));
  });

  it.each(['https://shop.example/hooks?x=1', 'https://93.184.216.34/', 'https://[2606:2800:220:1::1]:8443/'])(
    'may be %s',
    url => {
      expect(whyNot(new URL(url))).toBeUndefined();
    },
  );
});

describe('a webhook', () => {
  it('is not sent to a name that resolves to an internal address, nor to one that changes to one a moment later', async () => {
    const { port, requests } = await startReceiver(200);
    const overHttp = { allowedRanges: [], isHttpAllowed: true };
    // An earlier lookup would have given another address: only the one the connection uses counts.
    const inside = createDestinations(overHttp, async () => [{ address: '127.0.0.1', family: 4 }]);
    expect(inside.whyNot(new URL(`http://inside.example:${port}/`))).toBeUndefined();
    expect(await postTo(inside, `http://inside.example:${port}/`)).toEqual({
      error: expect.stringContaining('not an address of the public internet'),
    });
    const mixed = createDestinations(overHttp, async () => [
      { address: '93.184.216.34', family: 4 },
      { address: '10.0.0.1', family: 4 },
    ]);
    expect(await postTo(mixed, `http://mixed.example:${port}/`)).toEqual({
      error: expect.stringContaining('10.0.0.1'),
    });
    expect(await postTo(createDestinations(overHttp), `http://127.0.0.1:${port}/`)).toHaveProperty('error');
    expect(requests()).toBe(0);
  });

  it('goes to the address that was checked, with one lookup per connection', async () => {
    const { port, requests } = await startReceiver(200);
    let asked = 0;
    const named = createDestinations({ allowedRanges: ['127.0.0.0/8'], isHttpAllowed: true }, async () => {
      asked += 1;
      return [{ address: '127.0.0.1', family: 4 }];
    });
    expect(await postTo(named, `http://named.example:${port}/`)).toMatchObject({ status: 200 });
    expect({ asked, requests: requests() }).toEqual({ asked: 1, requests: 1 });
  });

  it('follows no redirect, stops reading an endless answer, and does not wait long for any', async () => {
    const here = createDestinations({ allowedRanges: ['127.0.0.1'], isHttpAllowed: true });
    const target = await startReceiver(200);
    const redirect = await startReceiver(307, { location: `http://127.0.0.1:${target.port}/` });
    expect(await postTo(here, `http://127.0.0.1:${redirect.port}/`)).toMatchObject({ status: 307 });
    expect(target.requests()).toBe(0);

    const endless = await startReceiver(200, {}, 'endless');
    expect(await postTo(here, `http://127.0.0.1:${endless.port}/`)).toMatchObject({ status: 200 });
    await until('its connection is closed', () => endless.open() === 0);

    const silent = await startReceiver(200, {}, 'silent');
    const startedAtMs = performance.now();
    expect(await postTo(here, `http://127.0.0.1:${silent.port}/`)).toHaveProperty('error');
    expect(performance.now() - startedAtMs).toBeLessThan(5000);
  });
});

async function postTo(destinations: ReturnType<typeof createDestinations>, url: string) {
  const post = createPost({ destinations, timeoutMs: 500 });
  try {
    return await post.post(url, {}, '{}', new AbortController().signal);
  } finally {
    await post.close();
  }
}

async function startReceiver(
  status: number,
  headers: Record<string, string> = {},
  body?: 'endless' | 'silent',
) {
  let requests = 0;
  const server = createServer((_, reply) => {
    requests += 1;
    if (body === 'silent') return;
    reply.writeHead(status, headers);
    if (body === undefined) return void reply.end();
    const more = () => {
      while (!reply.destroyed && reply.write('x'.repeat(64 * 1024)));
    };
    reply.on('drain', more);
    more();
  });
  let open = 0;
  server.on('connection', socket => {
    open += 1;
    socket.on('close', () => {
      open -= 1;
    });
  });
  const port = await listenUntilTestEnds(server);
  return { port, requests: () => requests, open: () => open };
}
