import { randomUUID } from 'node:crypto';

export type Intent = {
  id: string;
  object: 'payment_intent';
  amount: number;
  amount_received: number;
  currency: string;
  status: 'requires_payment_method' | 'requires_action' | 'succeeded' | 'canceled';
  metadata: Record<string, string>;
  cancellation_reason: string | null;
  last_payment_error: { message: string } | null;
};

type Refund = {
  id: string;
  payment_intent: string;
  amount: number;
  status: 'succeeded';
  metadata: Record<string, string>;
};

export type Answer = { statusCode: number; body: unknown };
type Emit = (type: string, intent: Intent) => void;
type IntentCall = (intent: Intent, form: URLSearchParams) => Answer;

/** The double's payment intents and refunds, and the calls that change them. */
export function createStripeAccount(emit: Emit) {
  const intents = new Map<string, Intent>();
  const refunds: Refund[] = [];
  const { confirm, cancel } = createIntentCalls(emit);

  function create(form: URLSearchParams): Answer {
    if (form.has('payment_method_types[0]')) return invalid('payment_method_types_no_longer_supported');
    const intent = createIntent(form);
    if (!isAmount(intent)) return invalid('invalid_charge_amount');
    intents.set(intent.id, intent);
    return ok(intent);
  }

  function refund(form: URLSearchParams): Answer {
    const intent = intents.get(form.get('payment_intent') ?? '');
    if (intent?.status !== 'succeeded') return invalid('resource_missing');
    if (refundsOf(intent.id).length > 0) return invalid('charge_already_refunded');
    const made = createRefund(intent, form);
    refunds.push(made);
    return ok(made);
  }

  const refundsOf = (intentId: string | null) =>
    refunds.filter(({ payment_intent }) => payment_intent === intentId);
  const withIntent = (act: IntentCall) => (form: URLSearchParams, id: string) => {
    const intent = intents.get(id);
    return intent ? act(intent, form) : failure(404, { code: 'resource_missing', message: 'no such intent' });
  };

  return {
    create,
    retrieve: withIntent(intent => ok(intent)),
    confirm: withIntent(confirm),
    cancel: withIntent(cancel),
    refund,
    listRefunds: (form: URLSearchParams) => ok({ data: refundsOf(form.get('payment_intent')) }),
    intents: () => [...intents.values()],
    totals() {
      const captured = [...intents.values()].filter(({ status }) => status === 'succeeded');
      return {
        captured: captured.length,
        capturedMinor: sum(captured.map(intent => intent.amount_received)),
        refunded: refunds.length,
        refundedMinor: sum(refunds.map(({ amount }) => amount)),
      };
    },
  };
}

/** The calls that change one intent and emit events. */
function createIntentCalls(emit: Emit) {
  function confirm(intent: Intent, form: URLSearchParams): Answer {
    if (!isOpen(intent)) return unexpectedState(intent);
    switch (form.get('payment_method')) {
      case 'pm_card_visa':
        Object.assign(intent, { status: 'succeeded', amount_received: intent.amount });
        emit('payment_intent.succeeded', intent);
        return ok(intent);
      case 'pm_card_authenticationRequired':
        intent.status = 'requires_action';
        return ok(intent);
      case 'pm_card_visa_chargeDeclinedInsufficientFunds':
        intent.last_payment_error = { message: 'Your card has insufficient funds.' };
        emit('payment_intent.payment_failed', intent);
        return cardDeclined(intent);
      // Refused without naming the parameter, as Stripe refuses a method that was used before or is another customer's.
      case 'pm_of_another_customer':
        return invalid('payment_method_customer_decline');
      default:
        return invalid('resource_missing', { param: 'payment_method' });
    }
  }

  function cancel(intent: Intent, form: URLSearchParams): Answer {
    if (!isOpen(intent)) return unexpectedState(intent);
    const reason = form.get('cancellation_reason');
    Object.assign(intent, { status: 'canceled', cancellation_reason: reason, last_payment_error: null });
    emit('payment_intent.canceled', intent);
    return ok(intent);
  }

  return { confirm, cancel };
}

export function failure(statusCode: number, error: Record<string, unknown>): Answer {
  return { statusCode, body: { error } };
}

// From docs.stripe.com/currencies, independent of the engine's table. ISK and UGX have no decimals, but Stripe counts
// them with two.
const zeroDecimal = 'BIF CLP DJF GNF JPY KMF KRW MGA PYG RWF VND VUV XAF XOF XPF'.split(' ');
const threeDecimal = 'BHD IQD JOD KWD LYD OMR TND'.split(' ');

/** An amount as Stripe counts it, in units of its currency. */
export function unitsAtStripe({ amount, currency }: Pick<Intent, 'amount' | 'currency'>): number {
  if (zeroDecimal.includes(currency.toUpperCase())) return amount;
  return amount / (threeDecimal.includes(currency.toUpperCase()) ? 1000 : 100);
}

function isAmount({ amount, currency }: Intent): boolean {
  if (!Number.isInteger(amount) || amount <= 0 || currency !== currency.toLowerCase()) return false;
  if (['isk', 'ugx'].includes(currency)) return amount % 100 === 0;
  return !threeDecimal.includes(currency.toUpperCase()) || amount % 10 === 0;
}

function createIntent(form: URLSearchParams): Intent {
  return {
    id: `pi_${randomUUID()}`,
    object: 'payment_intent',
    amount: Number(form.get('amount')),
    amount_received: 0,
    currency: form.get('currency') ?? '',
    status: 'requires_payment_method',
    metadata: metadataOf(form),
    cancellation_reason: null,
    last_payment_error: null,
  };
}

function createRefund(intent: Intent, form: URLSearchParams): Refund {
  return {
    id: `re_${randomUUID()}`,
    payment_intent: intent.id,
    amount: intent.amount_received,
    status: 'succeeded',
    metadata: metadataOf(form),
  };
}

function metadataOf(form: URLSearchParams): Record<string, string> {
  const entries = [...form].map(([name, value]) => [/^metadata\[(.+)\]$/.exec(name)?.[1], value]);
  return Object.fromEntries(entries.filter(([name]) => name !== undefined));
}

function isOpen({ status }: Intent): boolean {
  return status.startsWith('requires_');
}

function ok(body: unknown): Answer {
  return { statusCode: 200, body };
}

function invalid(code: string, more: Record<string, unknown> = {}): Answer {
  return failure(400, { type: 'invalid_request_error', code, message: code, ...more });
}

function unexpectedState(intent: Intent): Answer {
  return invalid('payment_intent_unexpected_state', { payment_intent: intent });
}

function cardDeclined(intent: Intent): Answer {
  const { message } = intent.last_payment_error ?? {};
  return failure(402, { type: 'card_error', code: 'card_declined', message, payment_intent: intent });
}

function sum(amounts: number[]): number {
  return amounts.reduce((total, amount) => total + amount, 0);
}
