import { createHash } from 'node:crypto';
import { z } from 'zod';
import { credentials } from '../cluster.js';
import { type Actor, type Desk, isMorning } from './desk.js';

type Session = {
  who: string;
  path: string;
  presented: { bearer: string } | { cookie: string };
  endsAt: Date;
};

const shopperSchema = z.object({ token: z.string(), expiresAt: z.iso.datetime() });
const operatorSchema = z.object({ session: z.object({ expiresAt: z.iso.datetime() }) });
const signInEveryHours = 6;

/** Shoppers and operators who sign in and whose sessions work until they end, and an attacker who guesses secrets. */
export function createVisitors({ shop, expect }: Desk): Actor {
  const sessions: Session[] = [];
  let lastId = 0;

  async function signIn(): Promise<void> {
    const shopper = await shop.call('POST', '/api/session', { body: {} });
    if (expect('a session', shopper, 201)) {
      const { token, expiresAt } = shopperSchema.parse(shopper.body);
      sessions.push({
        who: 'a shopper',
        path: '/api/orders',
        presented: { bearer: token },
        endsAt: new Date(expiresAt),
      });
    }
    const operator = await shop.call('POST', signInPath, { body: { secret: credentials.OPERATOR_TOKEN } });
    if (!expect('a sign-in', operator, 201)) return;
    const { expiresAt } = operatorSchema.parse(operator.body).session;
    const cookie = (operator.headers['set-cookie'] ?? []).map(text => text.split(';')[0]).join('; ');
    sessions.push({
      who: 'an operator',
      path: signInPath,
      presented: { cookie },
      endsAt: new Date(expiresAt),
    });
  }

  async function visit(session: Session): Promise<void> {
    const isOver = session.endsAt <= shop.clock.now();
    const answer = await shop.call('GET', session.path, session.presented);
    expect(`${session.who} whose session ends ${session.endsAt.toISOString()}`, answer, isOver ? 401 : 200);
    if (isOver) sessions.splice(sessions.indexOf(session), 1);
  }

  return {
    async act(hour) {
      for (const session of [...sessions]) await visit(session);
      if (hour % signInEveryHours === 0) await signIn();
      const guess = { operator: `nobody-${hour}`, secret: 'not the secret at all' };
      if (hour % 24 === signInEveryHours)
        expect('a wrong secret', await shop.call('POST', signInPath, { body: guess }), 401);
      const { body } = await shop.call('POST', '/api/users');
      const { id } = idSchema.parse(body);
      if (id <= lastId) throw new Error(`user id ${id} came after ${lastId}`);
      lastId = id;
    },
  };
}

const signInPath = '/api/admin/session';
const idSchema = z.object({ id: z.number() });

const challengeSchema = z.object({
  algorithm: z.string(),
  challenge: z.string(),
  salt: z.string(),
  signature: z.string(),
  maxnumber: z.number(),
});

/** Buys with solved challenges. A challenge solved one step earlier has expired. */
export async function createSolvers(desk: Desk): Promise<Actor> {
  const { shop, expect, buy } = desk;
  const productId = await desk.createProduct('With a challenge');
  const openSale = () => desk.openSale({ productId, challenge: 1000 });
  let old: { userId: string; challenge: string } | undefined;

  async function solve(userId: string): Promise<string> {
    const { body } = await shop.call('GET', `/api/challenge?productId=${productId}`, { userId });
    return solutionOf(challengeSchema.parse(body));
  }

  return {
    async act(hour) {
      if (isMorning(hour)) await openSale();
      if (old)
        expect(
          'an expired challenge',
          await buy('/api/purchase', old.userId, { productId, challenge: old.challenge }),
          'challenge-failed',
        );
      const userId = `solver-${hour}`;
      const challenge = await solve(userId);
      expect('a solved challenge', await buy('/api/purchase', userId, { productId, challenge }), 200);
      old = { userId, challenge: await solve(userId) };
    },
  };
}

/** Base64 of the JSON that the engine expects as a solution. */
function solutionOf({ maxnumber, ...asked }: z.infer<typeof challengeSchema>): string {
  for (let number = 0; number <= maxnumber; number++) {
    if (createHash('sha256').update(`${asked.salt}${number}`).digest('hex') !== asked.challenge) continue;
    return Buffer.from(JSON.stringify({ ...asked, number })).toString('base64');
  }
  throw new Error('the challenge has no solution');
}
