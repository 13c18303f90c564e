/**
 * What the browser keeps so that a reload or a lost connection continues the same purchase. A browser that keeps nothing
 * loses only that: the orders themselves are the shop's.
 */

import { newKey } from '@doorbuster/client';

export type Way = 'now' | 'hold' | 'queue';

/** A purchase that has begun and whose outcome is not known yet. Its key makes every retry the same purchase. */
export type Intent = KeptIntent & {
  /** Its key was sent before, so that there may be an order already. */
  isResumed: boolean;
};

type KeptIntent = { key: string; way: Way; productId: number; quantity: number; startedAtMs: number };

// Longer than any outage that somebody waits out at the page; older ones are looked up among the orders instead.
const intentAgeMaxMs = 15 * 60_000;

const intentName = (productId: number) => `doorbuster:intent:${productId}`;
const codeName = (orderId: string) => `doorbuster:code:${orderId}`;
const paymentName = (orderId: string) => `doorbuster:payment:${orderId}`;
const sessionName = 'doorbuster:session';

export function findIntent(productId: number): Intent | undefined {
  const text = read(intentName(productId));
  const intent = text === null ? undefined : parseIntent(text);
  const isFresh = intent && Date.now() - intent.startedAtMs < intentAgeMaxMs;
  if (text !== null && !isFresh) remove(intentName(productId));
  return isFresh ? { ...intent, isResumed: true } : undefined;
}

/** The intent under way for the product, in whichever tab it began, else a new one. */
export function beginIntent(wanted: Pick<Intent, 'way' | 'productId' | 'quantity'>): Intent {
  const known = findIntent(wanted.productId);
  if (known) return known;
  const intent = { ...wanted, key: newKey(), startedAtMs: Date.now() };
  write(intentName(wanted.productId), JSON.stringify(intent));
  return { ...intent, isResumed: false };
}

export function endIntent(productId: number): void {
  remove(intentName(productId));
}

/** The code that pays for a hold; known where the hold was made, and nowhere else. */
export function keepCode(orderId: string, code: string): void {
  write(codeName(orderId), code);
}

export function findCode(orderId: string): string | undefined {
  return read(codeName(orderId)) ?? undefined;
}

export function dropCode(orderId: string): void {
  remove(codeName(orderId));
  remove(paymentName(orderId));
}

/** One key for all tries to pay with one method; another method is another intent. */
export function beginPayment(orderId: string, method: string): { key: string; isResumed: boolean } {
  const known = findPayment(orderId);
  if (known?.method === method) return { key: known.key, isResumed: true };
  const key = newKey();
  write(paymentName(orderId), `${method} ${key}`);
  return { key, isResumed: false };
}

/** A payment whose outcome has not arrived, such as when the page was reloaded meanwhile. */
export function findPayment(orderId: string): { method: string; key: string } | undefined {
  const [method, key] = read(paymentName(orderId))?.split(' ') ?? [];
  return method && key ? { method, key } : undefined;
}

export function endPayment(orderId: string): void {
  remove(paymentName(orderId));
}

/** Whether this browser has bought before. The session itself is a cookie, which no script sees. */
export function hasSession(): boolean {
  return read(sessionName) !== null;
}

export function noteSession(): void {
  write(sessionName, '1');
}

function parseIntent(text: string): KeptIntent | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isIntent(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

function isIntent(value: unknown): value is KeptIntent {
  if (typeof value !== 'object' || value === null) return false;
  const { key, way, productId, quantity, startedAtMs } = value as Record<keyof KeptIntent, unknown>;
  const isKnownWay = way === 'now' || way === 'hold' || way === 'queue';
  const areNumbers = [productId, quantity, startedAtMs].every(part => typeof part === 'number');
  return typeof key === 'string' && isKnownWay && areNumbers;
}

// A page can not ask for more than one browser allows: without storage this page remembers, and a reload forgets.
const memory = new Map<string, string>();

function read(name: string): string | null {
  try {
    return localStorage.getItem(name) ?? memory.get(name) ?? null;
  } catch {
    return memory.get(name) ?? null;
  }
}

function write(name: string, value: string): void {
  memory.set(name, value);
  try {
    localStorage.setItem(name, value);
  } catch {
    // Kept in memory alone.
  }
}

function remove(name: string): void {
  memory.delete(name);
  try {
    localStorage.removeItem(name);
  } catch {
    // It was never there.
  }
}
