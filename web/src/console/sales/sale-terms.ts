import type { ListedSale, NewSale } from '../../api/operator';

/** The fields of the form, by the names that the engine has for them. */
export const termNames = [
  ...['productId', 'startsAt', 'endsAt', 'allocation', 'perUserLimit', 'holdTtlSeconds', 'payment'],
  ...['prizeOdds', 'challenge', 'requiresToken', 'recurrence', 'recurrence.cron', 'recurrence.timeZone'],
] as const;

/** What a form says, as the engine wants it. What is no number or no time goes to it as such, and it says so at the field. */
export function termsOf(form: FormData): NewSale {
  const text = (name: string) => String(form.get(name) ?? '');
  const number = (name: string) => (text(name) === '' ? Number.NaN : Number(text(name)));
  const optional = (name: string) => (text(name) === '' ? null : Number(text(name)));
  return {
    productId: number('productId'),
    startsAt: momentOf(text('startsAt')),
    endsAt: momentOf(text('endsAt')),
    allocation: number('allocation'),
    perUserLimit: number('perUserLimit'),
    holdTtlSeconds: number('holdTtlSeconds'),
    payment: text('payment') === 'required' ? 'required' : 'none',
    prizeOdds: optional('prizeOdds'),
    challenge: optional('challenge'),
    requiresToken: form.has('requiresToken'),
    ...(form.has('repeats') && {
      recurrence: { cron: text('recurrence.cron'), timeZone: text('recurrence.timeZone') },
    }),
  };
}

/** A time of the reader's own as the form has it; what is none stays what it is. */
function momentOf(local: string): string {
  const moment = new Date(local);
  return Number.isNaN(moment.getTime()) ? local : moment.toISOString();
}

/** A moment as <input type="datetime-local"> wants it, in the reader's own time. */
function localTime(moment: Date): string {
  const two = (value: number) => String(value).padStart(2, '0');
  const day = `${moment.getFullYear()}-${two(moment.getMonth() + 1)}-${two(moment.getDate())}`;
  return `${day}T${two(moment.getHours())}:${two(moment.getMinutes())}`;
}

const hourMs = 3_600_000;

/** The window that a form begins with: of the same length as the sale that is cloned, from the next full hour on. */
export function firstWindow(
  sale: ListedSale | undefined,
  nowMs: number,
): { startsAt: string; endsAt: string } {
  const startsAtMs = Math.ceil(nowMs / hourMs) * hourMs;
  const lengthMs = sale ? Date.parse(sale.endsAt) - Date.parse(sale.startsAt) : hourMs;
  return {
    startsAt: localTime(new Date(startsAtMs)),
    endsAt: localTime(new Date(startsAtMs + lengthMs)),
  };
}
