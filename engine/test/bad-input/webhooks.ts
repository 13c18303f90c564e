import { signatureHeader } from '../../src/payments/sandbox/signature.js';
import { call, post, type Row } from './row.js';

const path = '/api/webhooks/payments';
const refused = { sender: 'nobody', status: 401, slug: 'not-authenticated' } as const;
const now = Math.floor(Date.now() / 1000);
const body = '{"paymentId":"0189f0f0-0000-7000-8000-000000000000"}';
const signatures = [
  '',
  'x',
  `t=${now}`,
  `t=${now},v1=`,
  `t=${now},v1=${'0'.repeat(64)}`,
  `t=${now - 100_000},v1=${'0'.repeat(64)}`,
  `t=99999999999999999999,v1=${'0'.repeat(64)}`,
  `v1=${'0'.repeat(64)}`,
  `t=${now},v1=${'z'.repeat(64)}`,
  `t=${now},v1=${'0'.repeat(10_000)}`,
];

/** Webhooks without a signature. saga-webhooks.test.ts covers signatures that are old or belong to another body. */
export const webhookRows: Row[] = [
  ...signatures.map(signature =>
    post(path, `signature ${signature.slice(0, 40)}`, body, {
      ...refused,
      headers: { [signatureHeader]: signature },
    }),
  ),
  ...['', '{', '[]', 'null', '\0', '{"__proto__":{}}', '"x"'].map(text =>
    post(path, `unsigned ${JSON.stringify(text)}`, text, refused),
  ),
  ...['text/plain', 'application/xml', 'image/png', null].map(type =>
    post(path, `of type ${type}`, body, { ...refused, type }),
  ),
  post(path, 'stripe-signature', body, { ...refused, headers: { 'stripe-signature': `t=${now},v1=0` } }),
  post(path, 'with the API key', body, { ...refused, sender: 'shop' }),
  post(path, 'with the secret of an operator', body, { ...refused, sender: 'operator' }),
  post(path, '2 MB', 'x'.repeat(2_000_000), { ...refused, status: 413, slug: 'too-large' }),
  call('POST', path, refused),
];
