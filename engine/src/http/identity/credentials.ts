import type { FastifyRequest } from 'fastify';

/** The token of `Authorization: Bearer`; the scheme may be in any case. */
export function bearerOf({ headers }: FastifyRequest): string | undefined {
  const header = headers.authorization;
  if (header === undefined) return undefined;
  return header.startsWith('Bearer ') || /^bearer /i.test(header) ? header.slice(7) : undefined;
}

export function cookieOf({ headers }: FastifyRequest, name: string): string | undefined {
  const header = headers.cookie;
  if (!header) return undefined;
  const prefix = `${name}=`;
  const pair = header.split(';').find(part => part.trimStart().startsWith(prefix));
  return pair?.trim().slice(prefix.length);
}

export type Cookie = {
  name: string;
  value: string;
  /** 0 removes the cookie. */
  maxAgeSeconds: number;
  sameSite: 'Lax' | 'Strict';
  isSecure: boolean;
  /** Whether pages may read it; never true for a session. */
  isReadable?: boolean;
};

export function cookieText({ name, value, maxAgeSeconds, sameSite, isSecure, isReadable }: Cookie): string {
  const attributes = [
    `${name}=${value}`,
    'Path=/',
    `Max-Age=${maxAgeSeconds}`,
    `SameSite=${sameSite}`,
    ...(isReadable ? [] : ['HttpOnly']),
    ...(isSecure ? ['Secure'] : []),
  ];
  return attributes.join('; ');
}
