import { createHmac, timingSafeEqual } from 'node:crypto';
import { webhookAgeMaxSeconds } from '../provider.js';

export const signatureHeader = 'x-sandbox-signature';

/** `t=<unix seconds>,v1=<hex hmac sha256 of "t.body">`: the time is also signed, so that an old body cannot be replayed. */
export function sign(rawBody: string | Buffer, secret: string, atSeconds: number): string {
  return `t=${atSeconds},v1=${digest(rawBody, secret, atSeconds).toString('hex')}`;
}

/** @returns why the signature is not valid, or undefined if it is. */
export function findFlaw(
  rawBody: Buffer,
  header: unknown,
  secret: string,
  nowSeconds: number,
): string | undefined {
  if (typeof header !== 'string') return `has no ${signatureHeader} header`;
  const [, at, signature] = /^t=(\d{1,12}),v1=([0-9a-f]{64})$/.exec(header) ?? [];
  if (at === undefined || signature === undefined) return `has an unreadable ${signatureHeader} header`;
  const expected = digest(rawBody, secret, Number(at));
  if (!timingSafeEqual(Buffer.from(signature, 'hex'), expected))
    return 'has a signature that does not match its body';
  return Math.abs(nowSeconds - Number(at)) > webhookAgeMaxSeconds
    ? `was signed more than ${webhookAgeMaxSeconds} s from now`
    : undefined;
}

function digest(rawBody: string | Buffer, secret: string, atSeconds: number): Buffer {
  return createHmac('sha256', secret).update(`${atSeconds}.`).update(rawBody).digest();
}
